import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant, type PushAnswer, type RawJson, systemClock } from "@eventledger/core";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { openPush } from "../../packages/functions/src/push/open-push.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { type Consumption, meterCapacity } from "../../test/support/capacity.ts";
import { orderEvents } from "../../test/support/order-events.ts";
import type { Units } from "./units.ts";

/** The cost of pushing, in units of the table. */
export type PushMeasured = {
  /** What the dispatcher reads for a batch of a stream with one push, and with none. */
  readonly ring: Units;
  readonly ringNone: Units;
  /** A run that finds nothing. */
  readonly idleRun: Units;
  /** A run that delivers one event, and one that delivers a hundred. */
  readonly run1: Units;
  readonly run100: Units;
  /** A run whose only event fails for the first time. */
  readonly failure: Units;
};

const KEY = "elk_cost_measurement";
const STREAM = "orders";
const HOOK = "hook";
const LIMITS = { budgetMs: 50_000, awakeMs: 300_000 };

/** Pushes on the local store to an endpoint that answers at once. */
export async function measurePush(endpoint: string): Promise<PushMeasured> {
  const tableName = `cost-${randomUUID()}`;
  const admin = new DynamoDBClient(localAws(endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  let status = 204;
  const deliver = async (): Promise<PushAnswer> => ({ kind: "answered", status, text: "" });
  const nowMs = Date.now();
  const { ledger, client, close } = openLedger({
    endpoint,
    region: LOCAL_REGION,
    tableName,
    adminKey: KEY,
    cursorKey: KEY,
    clock: { ...systemClock, now: () => nowMs, monotonic: () => 0 },
    push: { ...openPush({ key: KEY, reach: "everything" }), deliver },
  });
  const { measure } = meterCapacity(client);
  const units = async (work: () => Promise<unknown>): Promise<Units> =>
    unitsOf(await measure(work));
  const tenant = defaultTenant;
  for (const name of [STREAM, "other"]) {
    await ledger.createStream(tenant, {
      name,
      description: "",
      partitions: 1,
      compaction: "none",
      retentionHours: 24,
      archiveDays: null,
    });
  }
  const events = orderEvents(200).values();
  const publish = async (count: number) => {
    for (let sent = 0; sent < count; sent += 10) {
      const some = Array.from({ length: Math.min(10, count) }, () => {
        const { key, type, data } = events.next().value as ReturnType<typeof orderEvents>[number];
        return { attributes: { key, type }, data: JSON.stringify(data) as RawJson };
      });
      await ledger.publish(tenant, STREAM, some);
    }
  };
  await ledger.createSubscription(tenant, STREAM, { name: HOOK, start: "earliest" } as never);
  await ledger.putPush(tenant, STREAM, HOOK, {
    url: "http://localhost/hook",
    format: "standard",
    concurrency: 8,
    timeoutSeconds: 15,
  });
  const [id] = await ledger.listPushes();
  if (id === undefined) throw new Error("There is no push");
  const run = () => ledger.runPushAlone(id, LIMITS);
  await publish(10);
  await run();
  const batchOf = (life: string) => [{ pk: `STREAM#${life}#P0`, sk: "SEQ#1" }];
  const ring = await units(() => ledger.ringPushes(batchOf(id.life)));
  const ringNone = await units(() => ledger.ringPushes(batchOf("other#none")));
  const idleRun = await units(run);
  await publish(1);
  const run1 = await units(run);
  await publish(100);
  const run100 = await units(run);
  status = 500;
  await publish(1);
  const failure = await units(run);
  close();
  return { ring, ringNone, idleRun, run1, run100, failure };
}

const unitsOf = ({ read, write }: Consumption): Units => ({ read, write });
