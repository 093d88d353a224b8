import { type Engine, isLocked } from "./engine.ts";
import { keyId } from "./key.ts";
import { fnv1a } from "./seeded-random.ts";
import { newest, type Row } from "./table.ts";

export type ExpireOptions = {
  /** The true time in milliseconds since 1970. The default is the store's own. */
  readonly nowMs?: number;
  /** Every item has its own delay from 0 to this value, which the seed determines. */
  readonly lateMs?: number;
  /** Stops after this number of deletions, as the background work of DynamoDB may. */
  readonly limit?: number;
};

const threeDaysMs = 72 * 3_600_000;
const fiveYearsMs = 5 * 366 * 24 * 3_600_000;

/**
 * Deletes, in random order, the items whose `expiresAt` (epoch seconds) and delay have passed.
 * Returns how many. Items in a running transaction wait. Items that expired more than five years
 * ago stay forever, as in DynamoDB.
 * @param seed determines the delays: an item with the same expiry always has the same delay
 */
export const expireItems = (
  engine: Engine,
  seed: string,
  { nowMs = engine.nowMs(), lateMs = threeDaysMs, limit = Number.POSITIVE_INFINITY }: ExpireOptions,
): number => {
  const due = [...engine.table.current()].filter((row) => isDue(row, seed, nowMs, lateMs));
  let deleted = 0;
  for (const { key } of engine.random.shuffle(due)) {
    if (deleted === limit) break;
    if (isLocked(engine, key)) continue;
    const { item } = newest(engine.table.row(key));
    engine.table.write(key, undefined);
    engine.stream.record(key, item, undefined, true);
    engine.tally.add("item.expired");
    deleted += 1;
  }
  return deleted;
};

const isDue = (row: Row, seed: string, nowMs: number, lateMs: number): boolean => {
  const expiresAt = newest(row).item?.expiresAt;
  if (typeof expiresAt !== "number") return false;
  const overMs = nowMs - expiresAt * 1000;
  if (overMs < 0 || overMs > fiveYearsMs) return false;
  const share = fnv1a(`${seed}/${keyId(row.key)}/${expiresAt}`) / 2 ** 32;
  return overMs >= share * lateMs;
};
