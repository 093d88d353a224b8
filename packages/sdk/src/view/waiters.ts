import { type Clock, waitFor } from "../http/clock.ts";

export type WaitOptions = {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The promises that wait for one thing. Each is settled by success, a failure, a timeout or its
 * signal.
 */
export function createWaiters(clock: Clock) {
  const waiting = new Set<PromiseWithResolvers<void>>();
  return {
    async wait(
      { timeoutMs = 30_000, signal }: WaitOptions,
      onTimeout: () => unknown,
    ): Promise<void> {
      const waiter = Promise.withResolvers<void>();
      waiting.add(waiter);
      const cancel = clock.after(timeoutMs, () => waiter.reject(onTimeout()));
      try {
        await waitFor(waiter.promise, signal);
        await waiter.promise;
      } finally {
        cancel();
        waiting.delete(waiter);
      }
    },
    /** Returns the promises that wait now. They are settled later. */
    all: (): readonly PromiseWithResolvers<void>[] => [...waiting],
  };
}
