import type { Life } from "../model/names.ts";

/** A poll that waits for events. `signal` aborts once there are some, or waiting is over. */
export type Ear = { readonly signal: AbortSignal; stop(): void };

/**
 * Wakes the polls of this process that wait for events of a life of a stream. A look at the table
 * that began after `listen` and found nothing may sleep on the ear's signal: whatever is rung since
 * aborts it. Ears must be stopped.
 */
export function createBell() {
  const ears = new Map<Life, Set<AbortController>>();
  let closed = false;

  /** Also stops when `giveUp` aborts: the client has gone away. */
  function listen(life: Life, giveUp?: AbortSignal): Ear {
    const ear = new AbortController();
    const here = ears.get(life) ?? new Set();
    const stop = () => {
      giveUp?.removeEventListener("abort", stop);
      here.delete(ear);
      if (here.size === 0 && ears.get(life) === here) ears.delete(life);
      ear.abort();
    };
    ears.set(life, here.add(ear));
    if (closed || giveUp?.aborted) stop();
    else giveUp?.addEventListener("abort", stop);
    return { signal: ear.signal, stop };
  }

  /** Something has changed in this life. */
  function ring(life: Life): void {
    for (const ear of ears.get(life) ?? []) ear.abort();
  }

  return {
    listen,
    ring,
    /** Ends all waiting, now and from now on. */
    close(): void {
      closed = true;
      for (const life of ears.keys()) ring(life);
    },
    isClosed: () => closed,
    /** How many wait right now. */
    size: () => [...ears.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

export type Bell = ReturnType<typeof createBell>;
