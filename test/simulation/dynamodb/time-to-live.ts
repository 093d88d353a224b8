import { type Engine, isLocked } from "./engine.ts";
import { keyId } from "./key.ts";
import { fnv1a } from "./seeded-random.ts";
import { newest, type Row } from "./table.ts";

export type ExpireOptions = {
  /** True time; the store's own by default. Milliseconds since 1970. */
  readonly nowMs?: number;
  /** Every item gets its own delay, from 0 to this, fixed by the seed. */
  readonly lateMs?: number;
  /** Stops after so many deletions, as the background work of DynamoDB may. */
  readonly limit?: number;
};

const threeDaysMs = 72 * 3_600_000;
const fiveYearsMs = 5 * 366 * 24 * 3_600_000;

/**
 * Deletes, in random order, what `expiresAt` (epoch seconds) says is over and whose delay has
 * passed; gives how many. Items in a running transaction wait, and what expired more than five
 * years ago stays for ever, as in DynamoDB.
 * @param seed decides the delays: an item with the same expiry always gets the same one
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
