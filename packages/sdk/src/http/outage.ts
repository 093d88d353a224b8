import { type Clock, sleep, waitFor } from "./clock.ts";
import { backOffMs, type RetryPolicy } from "./retry-plan.ts";

/**
 * What an attempt shows about the server: it answered, it did not, or the attempt shows nothing.
 */
export type Contact = "reached" | "lost" | "unknown";

export type Outage = {
  /**
   * Resolves when an attempt may be sent. During an outage one attempt at a time probes the server,
   * however many requests wait. Resolves to undefined when more attempts have failed meanwhile than
   * the request may have.
   */
  turn(attempts: number, signal?: AbortSignal): Promise<Turn | undefined>;
};

export type Turn = {
  /** All other requests wait for this attempt, so the server should answer it at once. */
  readonly isProbe: boolean;
  end(contact: Contact): void;
};

/** Each server has one. Otherwise every loop of a process would probe the server separately. */
export function createOutage(clock: Clock, policy: RetryPolicy): Outage {
  let failures = 0;
  /** Failures of requests that were sent together count once. */
  let epoch = 0;
  let openAt = 0;
  let probe: Promise<void> | undefined;

  const begin = (): Turn => {
    const began = epoch;
    let settle = () => {};
    const isProbe = failures > 0;
    if (isProbe) {
      probe = new Promise((resolve) => {
        settle = resolve;
      });
    }
    const end = (contact: Contact): void => {
      if (contact === "reached") {
        failures = 0;
        epoch += 1;
      } else if (contact === "lost" && began === epoch) {
        failures += 1;
        epoch += 1;
        openAt = clock.now() + backOffMs(policy, failures, Math.random());
      }
      if (isProbe) probe = undefined;
      settle();
    };
    return { isProbe, end };
  };

  return {
    async turn(attempts, signal) {
      signal?.throwIfAborted();
      let seen = failures;
      while (failures > 0) {
        seen = Math.min(seen, failures);
        if (failures - seen >= attempts) return undefined;
        const waitMs = openAt - clock.now();
        if (probe !== undefined) await waitFor(probe, signal);
        else if (waitMs > 0) await sleep(clock, waitMs, signal);
        else break;
      }
      return begin();
    },
  };
}
