import { LIMITS } from "@eventledger/protocol";

/** What a wait depends on, besides the operator's setting. */
type Waiting = {
  readonly leaseMs?: number | undefined;
  /** True on a connection that stays open in any case. A wait then holds nothing more. */
  readonly held?: boolean | undefined;
};

/**
 * Determines how long requests may wait for events. The limit is the operator's setting, and for a
 * worker at most half of its lease, because a waiting worker may have died.
 */
export function createWaitLimit(secondsMax: number = LIMITS.waitSecondsMax) {
  const mostSeconds = ({ leaseMs = Number.POSITIVE_INFINITY, held }: Waiting = {}): number =>
    Math.min(held ? LIMITS.waitSecondsMax : secondsMax, leaseMs / 2_000);

  return {
    /**
     * The number of seconds for which a client should ask to wait. A request for more is cut to
     * this. 0 means that polls do not wait.
     */
    advisedSeconds: (leaseMs?: number): number => Math.floor(mostSeconds({ leaseMs })),

    /** Returns how long a request that asks for this many seconds may wait. */
    grantedMs: (askedSeconds: number, of?: Waiting): number =>
      Math.min(askedSeconds, mostSeconds(of)) * 1_000,
  };
}
