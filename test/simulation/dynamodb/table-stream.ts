import { type Key, keyId } from "./key.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Item } from "./value.ts";

/** One record of a KEYS_ONLY stream. */
export type StreamRecord = {
  readonly sequenceNumber: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly keys: Key;
  readonly createdAtMs: number;
  /** DynamoDB deleted the item because it had expired. */
  readonly expired: boolean;
};

export type TakeOptions = {
  /** The maximum number of records. */
  readonly limit?: number;
  /** The chance that a record is delivered once more, now or in a later take. */
  readonly duplicate?: number;
  /** The chance that a step takes a record out of order. Records of one item keep their order. */
  readonly reorder?: number;
  /** The chance that a record is lost. Records older than 24 h are always lost. */
  readonly loss?: number;
};

export type TableStream = {
  /** Records a change. `expired` says that the time to live caused it. */
  record(key: Key, before: Item | undefined, after: Item | undefined, expired?: boolean): void;
  /** Returns the records that are not taken yet, oldest first. */
  pending(): readonly StreamRecord[];
  take(options?: TakeOptions): StreamRecord[];
};

const keptMs = 24 * 3_600_000;

export const createTableStream = (random: SeededRandom, nowMs: () => number): TableStream => {
  const waiting: StreamRecord[] = [];
  let written = 0;
  return {
    record: (keys, before, after, expired = false) => {
      const eventName = after === undefined ? "REMOVE" : before === undefined ? "INSERT" : "MODIFY";
      written += 1;
      const sequenceNumber = String(written).padStart(21, "0");
      waiting.push({ sequenceNumber, eventName, keys, createdAtMs: nowMs(), expired });
    },
    pending: () => waiting,
    take: ({ limit = 1000, duplicate = 0, reorder = 0, loss = 0 } = {}) => {
      const taken: StreamRecord[] = [];
      while (taken.length < limit && waiting.length > 0) {
        const index = random.chance(reorder) ? outOfTurn(waiting, random) : 0;
        const [record] = waiting.splice(index, 1);
        if (record === undefined) break;
        if (nowMs() - record.createdAtMs > keptMs || random.chance(loss)) continue;
        taken.push(record);
        // A duplicate may follow later records of its item, as when a failed batch is sent again.
        if (random.chance(duplicate)) waiting.splice(random.between(0, waiting.length), 0, record);
      }
      return taken;
    },
  };
};

/** Returns the index of a random record that has no earlier waiting record of the same item. */
const outOfTurn = (waiting: readonly StreamRecord[], random: SeededRandom): number => {
  const seen = new Set<string>();
  const free: number[] = [];
  waiting.slice(0, 100).forEach(({ keys }, index) => {
    const id = keyId(keys);
    if (!seen.has(id)) free.push(index);
    seen.add(id);
  });
  return random.pick(free);
};
