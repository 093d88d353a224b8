import { LedgerError } from "../../kernel/error.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { type Archived, earliestOf } from "../../model/archive.ts";

/**
 * If the floor has not moved for this long, a missing batch counts as expired. This is far less
 * than the 30 days for which rows stay below the floor.
 */
export const FLOOR_STALE_MS = 7 * DAY_MS;

/**
 * Returns whether a read failed because its position is no longer in the log: it has expired or was
 * lost.
 */
export const isOutOfReach = (error: unknown): error is LedgerError =>
  error instanceof LedgerError &&
  (error.code === "retention-passed" || error.facts.reason === "restored");

export const retentionPassed = (checkpoint: Archived): LedgerError =>
  new LedgerError("retention-passed", {
    detail: "The events at this position are no longer kept. Read from `earliest` instead.",
    facts: { earliestSequence: earliestOf(checkpoint) },
  });
