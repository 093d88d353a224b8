import type { Life } from "../model/names.ts";

/** A poll that waits. `signal` aborts once something has changed, or once waiting is over. */
export type Waiter = { readonly signal: AbortSignal; stop(): void };

/**
 * Wakes the polls of this process that wait for a change in a life of a stream. A poll whose read
 * of the table began after `listen` and found nothing may sleep on the waiter's signal. Every
 * notification since then aborts that signal. Waiters must be stopped.
 */
export function createNotifier() {
  const waiters = new Map<Life, Set<AbortController>>();
  let closed = false;

  /**
   * Starts listening. It also stops when `giveUp` aborts, which means that the client has
   * disconnected.
   */
  function listen(life: Life, giveUp?: AbortSignal): Waiter {
    const waiter = new AbortController();
    const here = waiters.get(life) ?? new Set();
    const stop = () => {
      giveUp?.removeEventListener("abort", stop);
      here.delete(waiter);
      if (here.size === 0 && waiters.get(life) === here) waiters.delete(life);
      waiter.abort();
    };
    waiters.set(life, here.add(waiter));
    if (closed || giveUp?.aborted) stop();
    else giveUp?.addEventListener("abort", stop);
    return { signal: waiter.signal, stop };
  }

  /** Wakes all polls that wait for a change in this life. */
  function notify(life: Life): void {
    for (const waiter of waiters.get(life) ?? []) waiter.abort();
  }

  return {
    listen,
    notify,
    /** Ends all waiting polls, and lets no poll wait from now on. */
    close(): void {
      closed = true;
      for (const life of waiters.keys()) notify(life);
    },
    isClosed: () => closed,
    /** The number of polls that wait now. */
    size: () => [...waiters.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

export type Notifier = ReturnType<typeof createNotifier>;
