/** The clock of the SDK. Tests replace it. */
export type Clock = {
  now(): number;
  /** Calls back once, later. Returns a function that cancels the call. */
  after(ms: number, run: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Rejects with the signal's reason when it is aborted. Leaves no listener on the signal. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return abortable(signal, (done) => clock.after(ms, done));
}

/** Waits for a promise, or until the signal is aborted. */
export function waitFor(settled: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  return abortable(signal, (done) => void settled.then(done, done));
}

/** Returns a promise of the next signal, for any number of waiters. */
export function signalling() {
  let next: PromiseWithResolvers<void> | undefined;
  return {
    promise: (): Promise<void> => {
      next ??= Promise.withResolvers();
      return next.promise;
    },
    signal: (): void => {
      next?.resolve();
      next = undefined;
    },
  };
}

function abortable(
  signal: AbortSignal | undefined,
  start: (done: () => void) => (() => void) | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel?.();
      reject(signal?.reason);
    };
    const cancel = start(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
