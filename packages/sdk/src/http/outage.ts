import { type Clock, sleep, waitFor } from "./clock.ts";
import { backOffMs, type RetryPolicy } from "./retry-plan.ts";

/**
 * Sends an attempt when it is allowed. During an outage, one attempt at a time probes the server,
 * however many requests wait for it, so the server should answer a probe at once. Resolves to
 * undefined when more attempts have failed in the meantime than the request may have. `onWait` is
 * called before it waits.
 */
export type Outage = <Outcome extends { readonly isLost: boolean }>(
  send: (isProbe: boolean) => Promise<Outcome>,
  attempts: number,
  signal: AbortSignal | undefined,
  onWait: (() => void) | false,
) => Promise<Outcome | undefined>;

/**
 * Creates the outage of one server. All loops of a process share it. Otherwise every loop would
 * probe the server separately.
 */
export function createOutage(clock: Clock, policy: RetryPolicy): Outage {
  let failures = 0;
  /** Concurrent requests that fail together count as one failure. */
  let epoch = 0;
  let openAt = 0;
  let probe: Promise<unknown> | undefined;

  const observe = async <Outcome extends { readonly isLost: boolean }>(
    sending: Promise<Outcome>,
    began: number,
  ): Promise<Outcome> => {
    const outcome = await sending;
    if (!outcome.isLost) {
      epoch += 1;
      failures = 0;
    } else if (began === epoch) {
      epoch += 1;
      failures += 1;
      openAt = clock.now() + backOffMs(policy, failures);
    }
    return outcome;
  };

  return async (send, attempts, signal, onWait) => {
    signal?.throwIfAborted();
    if (failures > 0 && onWait) onWait();
    let seen = failures;
    while (failures > 0) {
      seen = Math.min(seen, failures);
      if (failures - seen >= attempts) return undefined;
      const waitMs = openAt - clock.now();
      if (probe !== undefined) await waitFor(probe, signal);
      else if (waitMs > 0) await sleep(clock, waitMs, signal);
      else break;
    }
    const isProbe = failures > 0;
    const sent = observe(send(isProbe), epoch);
    if (!isProbe) return sent;
    probe = sent.finally(() => {
      probe = undefined;
    });
    return probe as typeof sent;
  };
}
