import { LedgerError } from "../kernel/error.ts";
import { DAY_MS, MINUTE_MS } from "../kernel/time.ts";
import type { LostRange } from "../model/restored.ts";
import type { Batch } from "../table/batch.entity.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { ReceiptRow } from "../table/receipt.entity.ts";

/**
 * No partition can grow faster: DynamoDB takes 1,000 write units a second for a partition key, a
 * batch is at least one, and it holds 1,000 events at most.
 */
const EVENTS_PER_MS_MAX = 1_000;

/**
 * Several copies of one table may be put to use one after another, and what the first has given the
 * second does not know. So numbers also go beyond a line that rises faster than all but the busiest
 * streams do in the long run: 10,000 events a second since 2026.
 */
const LINE_PER_MS = 10;
const LINE_FROM_MS = Date.UTC(2026, 0, 1);

/** Sort keys have 14 digits. */
const NUMBERS_MAX = 10 ** 14;

/** How far apart in time the rows of a copy may be: AWS names less than a second. */
export const SKEW_MS = 10 * MINUTE_MS;

/**
 * Where the numbers of a partition go on after a restore that ended it at `end`: beyond any that
 * can have been given to events that the restore lost. `seenMs` is the last moment that the copy
 * knows of, so whatever is lost was published later. Throws `numbering-at-risk` when there are no
 * numbers left.
 */
export function planJump(
  end: number,
  { seenMs, nowMs }: { seenMs: number; nowMs: number },
): number {
  const lostMs = Math.max(0, nowMs - seenMs) + DAY_MS;
  const line = (nowMs - LINE_FROM_MS) * LINE_PER_MS;
  const next = Math.max(end + lostMs * EVENTS_PER_MS_MAX, line);
  if (next < NUMBERS_MAX) return next;
  throw new LedgerError("numbering-at-risk", {
    detail:
      "The stream has been restored so often that its numbers are used up. Make a new stream.",
    retryAfterSeconds: 3_600,
  });
}

/** How far rows lead from `expected` on without a hole, and the row after the first one. */
export function findHole(
  rows: readonly Batch[],
  expected: number,
): { readonly expected: number; readonly before?: Batch } {
  let at = expected;
  for (const batch of rows) {
    if (batch.first > at) return { expected: at, before: batch };
    at = Math.max(at, batch.first + batch.count);
  }
  return { expected: at };
}

/**
 * The checkpoint once the numbers of `range` are known to be lost. One within the range moves to
 * its end: what it had seen there is gone.
 */
export function planLost(
  { next, floor, lookedAt, compactedThrough, lost = [] }: Checkpoint,
  range: LostRange,
  nowMs: number,
): Partial<Checkpoint> {
  const pastLoss = (place: number) => (place >= range.from && place < range.to ? range.to : place);
  const isAtEnd = pastLoss(next) === range.to && range.hole === undefined;
  return {
    next: pastLoss(next),
    floor: floor > range.from ? pastLoss(floor) : floor,
    lookedAt: Math.max(lookedAt, nowMs),
    compactedThrough: isAtEnd ? Math.max(compactedThrough, nowMs) : compactedThrough,
    lost: [...lost, range],
  };
}

/** Whether a receipt speaks of events that are lost. */
export const speaksOfLost = (
  { parts }: ReceiptRow,
  lost: ReadonlyMap<number, readonly LostRange[]>,
): boolean =>
  parts.some(({ partition, first, count }) =>
    (lost.get(partition) ?? []).some(({ from, to }) => first < to && from < first + count),
  );
