import {
  defaultTenant,
  type Life,
  type ScopedName,
} from "../../../packages/core/src/model/names.ts";
import type { Checkpoint } from "../../../packages/core/src/table/checkpoint.entity.ts";
import type { OffsetRow } from "../../../packages/core/src/table/offset.entity.ts";
import type { StreamRow } from "../../../packages/core/src/table/stream.entity.ts";
import type { SubscriptionRow } from "../../../packages/core/src/table/subscription.entity.ts";
import { createTable } from "../../../packages/core/src/table/table.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

export const LIFE = "orders#1" as Life;
export const NAME = "orders" as ScopedName;
export const SUB = { life: LIFE, subscriptionUid: "sub" };
export const ROW: OffsetRow = { partition: 0, batch: 1, next: 5, generation: 1 };
const CHECKPOINT: Checkpoint = {
  next: 5,
  floor: 1,
  checkedAt: 0,
  compactedThrough: 0,
  floorAt: 0,
  events: 0,
  bytes: 0,
};

export const stream = (uid: string): StreamRow => ({
  name: NAME,
  uid,
  description: "",
  partitions: 1,
  compaction: "key",
  retentionHours: 1,
  archiveDays: null,
  createdAt: 0,
  status: "live",
});

/** Opens an empty table whose answers can be lost. */
export function openTable() {
  const store = createFakeDynamo({ tableName: "rows", seed: 1 });
  const table = createTable({
    client: store.client() as never,
    table: "rows",
    clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
    random: seededRandom(1),
  });
  /** Loses the answers of the next writes. */
  const loseAnswers = (count: number) => {
    let left = count;
    store.setFaults(() => ({ "error-after": left-- > 0 ? 1 : 0 }));
  };
  return { store, table, loseAnswers };
}

export const SUBSCRIPTION: SubscriptionRow = {
  ...{ stream: NAME, name: "s", uid: "sub", streamUid: "1", createdAt: 0 },
  config: { start: "earliest", leaseSeconds: 30 },
};

/** Opens a table with a stream and the offset rows of a subscription. */
export async function openSubscription(rows: readonly OffsetRow[] = [ROW]) {
  const opened = openTable();
  const { table } = opened;
  await table.lifecycle.createStream(defaultTenant, LIFE, stream("1"), CHECKPOINT);
  const created = await table.lifecycle.createSubscription(LIFE, SUBSCRIPTION, rows);
  if (!created) throw new Error("a subscription can be created in a new stream");
  const row = async (partition = 0) => table.parking.load(SUB, partition);
  return { ...opened, row };
}
