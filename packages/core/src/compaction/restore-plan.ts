import { LedgerError } from "../kernel/error.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { SeenEnd } from "../log/end.ts";
import { PHYSICAL_SLACK_MS } from "../log/guard.ts";
import type { LostRange } from "../model/restored.ts";
import { type Batch, lasting, lastsUntil } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { ReceiptRow } from "../table/receipt.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import { NOT_COUNTED } from "./state-size.ts";

/**
 * The maximum growth of a partition. DynamoDB accepts 1,000 write units a second for a partition
 * key. A batch costs at least one unit and holds at most 1,000 events.
 */
const EVENTS_PER_MS_MAX = 1_000;

/**
 * Several copies of one table may come into use one after another. A later copy does not know the
 * numbers that an earlier one assigned. After a restore the numbers therefore also exceed a line
 * that has risen by 10,000 a second since 2026. In the long run, only the busiest stream assigns
 * numbers as fast.
 */
const LINE_PER_MS = 10;
const LINE_FROM_MS = Date.UTC(2026, 0, 1);

/** The upper limit of numbers, because sort keys have 14 digits. */
const NUMBERS_MAX = 10 ** 14;

/** The maximum time between the rows of a copy. AWS states less than a second. */
export const SKEW_MS = 10 * MINUTE_MS;

/**
 * Returns where the numbers of a partition continue after a restore that ended it at `end`: above
 * any number of an event that the restore may have lost. `seenMs` is the latest time recorded in
 * the copy, so every lost event was published later. Throws `numbering-at-risk` when no numbers
 * remain.
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
      "The stream has been restored so often that its numbers are used up. Create a new stream.",
    retryAfterSeconds: 3_600,
  });
}

/** A hole begins at `expected`, and ends at the row `before`. Without one, the chain ends there. */
type Hole = { readonly expected: number; readonly before?: Batch };

/**
 * Returns how far rows continue from `expected` without a hole, and the row after the first hole.
 */
export function findHole(rows: readonly Batch[], expected: number): Hole {
  let at = expected;
  for (const batch of rows) {
    if (batch.first > at) return { expected: at, before: batch };
    at = Math.max(at, batch.first + batch.count);
  }
  return { expected: at };
}

/**
 * Returns the numbers that are lost in a hole or at the end of a chain. None are if the chain ends
 * at its turn or at `until`.
 */
export function planRange(
  { next, turned }: Pick<SeenEnd, "next" | "turned">,
  { expected: from, before }: Hole,
  { id, until, ...times }: RangeRequest,
): LostRange {
  if (before !== undefined) return { id, from, to: before.first, hole: true };
  const ended = turned ? next : until;
  return { id, from, to: ended ?? planJump(next, times) };
}

type RangeRequest = {
  readonly id: string;
  readonly until: number | undefined;
  readonly seenMs: number;
  readonly nowMs: number;
};

/**
 * Returns the batch that uses up the lost numbers. Times never decrease along a chain, so a batch
 * that closes a hole has the times of its successor, `before`.
 */
export function planJumpRow(
  { retentionHours, archiveDays }: Pick<StreamRow, "retentionHours" | "archiveDays">,
  end: Pick<SeenEnd, "publishedAt" | "expiresAt">,
  { range, before, nowMs }: { range: LostRange; before: Batch | undefined; nowMs: number },
): Omit<Batch, "batchId"> {
  const keepMs = retentionHours * HOUR_MS + PHYSICAL_SLACK_MS;
  const publishedAt = Math.max(nowMs, end.publishedAt);
  const expiresAt = Math.max(Math.ceil((publishedAt + keepMs) / 1_000), end.expiresAt);
  const archived = archiveDays !== null;
  return {
    first: range.from,
    count: range.to - range.from,
    kind: "jump",
    ...(before === undefined
      ? { publishedAt, ...lasting(expiresAt, { archived }) }
      : timesOf(before)),
    rawBytes: 0,
    payload: new Uint8Array(),
  };
}

function timesOf(batch: Batch): Pick<Batch, "publishedAt" | "expiresAt" | "keptUntil"> {
  const { publishedAt, keptUntil } = batch;
  const until = lastsUntil(batch);
  if (until === undefined) return { publishedAt };
  return { publishedAt, ...lasting(until, { archived: keptUntil !== undefined }) };
}

/**
 * Returns the checkpoint after the numbers of `range` are found to be lost. A checkpoint within the
 * range moves to its end, because the events that it covered there are lost.
 */
export function planLost(
  { next, floor, checkedAt, compactedThrough, lost = [] }: Checkpoint,
  range: LostRange,
  nowMs: number,
): Partial<Checkpoint> {
  const pastLoss = (place: number) => (place >= range.from && place < range.to ? range.to : place);
  const isAtEnd = pastLoss(next) === range.to && range.hole === undefined;
  return {
    next: pastLoss(next),
    floor: floor > range.from ? pastLoss(floor) : floor,
    checkedAt: Math.max(checkedAt, nowMs),
    compactedThrough: isAtEnd ? Math.max(compactedThrough, nowMs) : compactedThrough,
    lost: [...lost, range],
    // Rows of lost events may remain in the copy, so its compacted state is counted again.
    recount: NOT_COUNTED,
  };
}

/**
 * Returns whether a receipt, or its claim, covers lost events. The copy has only the first `chains`
 * partitions, so everything in later ones is lost too.
 */
export const speaksOfLost = (
  { parts, claimPartition = 0 }: Pick<ReceiptRow, "parts" | "claimPartition">,
  lost: ReadonlyMap<number, readonly LostRange[]>,
  chains: number,
): boolean =>
  claimPartition >= chains ||
  parts.some(({ partition }) => partition >= chains) ||
  parts.some(({ partition, first, count }) =>
    (lost.get(partition) ?? []).some(({ from, to }) => first < to && from < first + count),
  );
