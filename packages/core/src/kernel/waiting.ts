import { LIMITS } from "@eventledger/protocol";

/**
 * How long requests may wait for events: as long as the operator allows, and a worker for half of
 * its lease at most, because a worker that waits may have died meanwhile.
 */
export function createWaiting(secondsMax: number = LIMITS.waitSecondsMax) {
  const mostSeconds = (leaseMs = Number.POSITIVE_INFINITY): number =>
    Math.min(secondsMax, leaseMs / 2_000);

  return {
    /** How many seconds to ask for. A longer request is cut to it. 0: do not wait. */
    advisedSeconds: (leaseMs?: number): number => Math.floor(mostSeconds(leaseMs)),

    /** How long a request waits that asked for so many seconds. */
    grantedMs: (askedSeconds: number, leaseMs?: number): number =>
      Math.min(askedSeconds, mostSeconds(leaseMs)) * 1_000,
  };
}
