import { LedgerProblem } from "../errors.ts";
import { FOREVER } from "./follow.ts";

export type RetryPolicy = {
  /** The maximum number of attempts of one request. */
  readonly attempts: number;
  /** The pause after the first failure. Each further failure doubles it. */
  readonly baseMs: number;
  readonly maxMs: number;
};

export const RETRY: RetryPolicy = { attempts: 8, baseMs: 100, maxMs: 5_000 };

/** If the server asks for a longer pause than this, the request fails and the caller decides. */
const RETRY_AFTER_MAX_MS = 60_000;

/**
 * Returns the pause before the next attempt. Its random part only makes it longer, so that no
 * minute has more than 20 attempts.
 */
export const backOffMs = (
  { baseMs, maxMs }: Pick<RetryPolicy, "baseMs" | "maxMs">,
  failures: number,
): number => Math.round(Math.min(maxMs, baseMs * 2 ** (failures - 1)) * (1 + Math.random() / 4));

/**
 * Returns the pause before the same request is sent again, or undefined if repeating does not help.
 * After a problem, the server's `retry` decides rather than the status.
 */
export function pauseAfter(
  policy: RetryPolicy,
  error: Error,
  failures: number,
): number | undefined {
  const pauseMs = backOffMs(policy, failures);
  if (!LedgerProblem.is(error)) return pauseMs;
  const { retry, retryAfterMs = 0 } = error;
  if (retry !== "same" && retry !== "later") return undefined;
  if (retryAfterMs > RETRY_AFTER_MAX_MS && policy.attempts < FOREVER) return undefined;
  return Math.max(retryAfterMs, pauseMs);
}
