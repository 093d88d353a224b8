import { LedgerError } from "../kernel/error.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { SeenEnd } from "./end.ts";

/** How long a batch stays stored after its retention has passed. */
export const PHYSICAL_SLACK_MS = 30 * DAY_MS;

const LOOK_AGE_MAX_MS = 7 * DAY_MS;
const COMPACTION_AGE_MAX_MS = DAY_MS;

/**
 * Returns whether the checkpoint alone cannot rule out that compaction has stalled. The end of the
 * chain then decides.
 */
export const mayBeStalled = (
  { checkedAt, compactedThrough }: Pick<Checkpoint, "checkedAt" | "compactedThrough">,
  nowMs: number,
): boolean =>
  nowMs - checkedAt > LOOK_AGE_MAX_MS || nowMs - compactedThrough > COMPACTION_AGE_MAX_MS;

/**
 * Returns whether compaction has left events uncompacted for so long that publishes and bootstraps
 * are refused.
 */
const isCompactionStalled = (
  { checkpoint, next }: Pick<SeenEnd, "checkpoint" | "next">,
  nowMs: number,
): boolean =>
  mayBeStalled(checkpoint, nowMs) &&
  (nowMs - checkpoint.checkedAt > LOOK_AGE_MAX_MS || checkpoint.next < next);

/**
 * Refuses to trust the end of a partition without a recent check, because events written since then
 * may have expired unseen. Throws `numbering-at-risk`.
 */
export function assertNumbered({ checkedAt }: Pick<Checkpoint, "checkedAt">, nowMs: number): void {
  if (nowMs - checkedAt <= PHYSICAL_SLACK_MS) return;
  throw new LedgerError("numbering-at-risk", {
    detail:
      "The end of this stream was not checked for 30 days, so its numbering cannot be trusted. An operator must repair it.",
    retryAfterSeconds: 3_600,
    facts: { lookedAt: new Date(checkedAt).toISOString() },
  });
}

/** Refuses an operation that needs an up-to-date compaction. Throws `compaction-stalled`. */
export function assertNotStalled(end: Pick<SeenEnd, "checkpoint" | "next">, nowMs: number): void {
  if (!isCompactionStalled(end, nowMs)) return;
  throw new LedgerError("compaction-stalled", {
    detail:
      "Compaction has not caught up for too long. POST /streams/{stream}/compact, or check that the compactor runs.",
    retryAfterSeconds: 60,
    facts: { lookedAt: new Date(end.checkpoint.checkedAt).toISOString() },
  });
}

/**
 * Refuses to publish into a partition whose end was not checked for too long. Batches expire. If
 * all of them expired unseen, new events would reuse their numbers.
 */
export function assertMayPublish(end: SeenEnd, nowMs: number): void {
  assertNumbered(end.checkpoint, nowMs);
  assertNotStalled(end, nowMs);
}
