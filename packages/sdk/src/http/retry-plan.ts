import type { LedgerProblem } from "../errors.ts";

export type RetryPolicy = {
  /** The most times that one request is sent. */
  readonly attempts: number;
  /** The pause after the first failure. It doubles with each further one. */
  readonly baseMs: number;
  readonly maxMs: number;
};

export const RETRY: RetryPolicy = { attempts: 8, baseMs: 100, maxMs: 5_000 };

/** A server that asks for a longer pause than this is not waited for: the caller decides. */
const PATIENCE_MS = 60_000;

/**
 * The pause before the next attempt. Chance only makes it longer, so that no minute has more than
 * 20 attempts.
 */
export const backOffMs = (
  { baseMs, maxMs }: RetryPolicy,
  failures: number,
  chance: number,
): number => Math.round(Math.min(maxMs, baseMs * 2 ** (failures - 1)) * (1 + chance / 4));

/**
 * The pause before the same request is sent again, or undefined when that does not help. The
 * server's `retry` decides, and not the status.
 */
export function pauseAfter(
  policy: RetryPolicy,
  { retry, retryAfterMs = 0 }: LedgerProblem,
  failures: number,
  chance: number,
): number | undefined {
  if (retry === "never" || retry === "refresh") return undefined;
  if (retryAfterMs > PATIENCE_MS && Number.isFinite(policy.attempts)) return undefined;
  return Math.max(retryAfterMs, backOffMs(policy, failures, chance));
}
