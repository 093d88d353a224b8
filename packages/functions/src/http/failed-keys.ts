import { LedgerError } from "@eventledger/core";

/** How many refused keys a process answers at once, and how many more a second. */
const BURST = 2_000;
const PER_SECOND = 100;

/**
 * Limits the answers to requests without a valid key. It has its own tokens in each process, so
 * such requests use no quota, and a request with a valid key is never refused because of them.
 */
export function createFailedKeys(nowMs: () => number) {
  let tokens = BURST;
  let at = nowMs();

  /** Throws `quota-exceeded` when there are too many. */
  return (): void => {
    const now = nowMs();
    tokens = Math.min(BURST, tokens + (Math.max(0, now - at) / 1_000) * PER_SECOND);
    at = now;
    if (tokens < 1) throw tooMany();
    tokens--;
  };
}

const tooMany = (): LedgerError =>
  new LedgerError("quota-exceeded", {
    detail: "Too many requests have no valid API key. Check the key, and try again.",
    retryAfterSeconds: 1,
    facts: { quota: "failedKeysPerSecond", of: "server", limit: PER_SECOND },
  });
