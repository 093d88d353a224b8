import { LIMITS } from "@eventledger/protocol";

/**
 * Determines how long requests may wait for events. The limit is the operator's setting, and for a
 * worker at most half of its lease, because a waiting worker may have died.
 */
export function createWaiting(secondsMax: number = LIMITS.waitSecondsMax) {
  const mostSeconds = (leaseMs = Number.POSITIVE_INFINITY): number =>
    Math.min(secondsMax, leaseMs / 2_000);

  return {
    /** The seconds of waiting to request. A longer request is cut to this. 0: do not wait. */
    advisedSeconds: (leaseMs?: number): number => Math.floor(mostSeconds(leaseMs)),

    /** Returns how long a request waits that asked for this many seconds. */
    grantedMs: (askedSeconds: number, leaseMs?: number): number =>
      Math.min(askedSeconds, mostSeconds(leaseMs)) * 1_000,
  };
}
