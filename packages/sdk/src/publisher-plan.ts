import { LedgerProblem } from "./errors.ts";

/** Returns how many of the waiting events the next request takes: as many as its caps allow. */
export function nextBatch(
  queue: readonly { readonly bytes: number }[],
  { eventsMax, bytesMax }: { readonly eventsMax: number; readonly bytesMax: number },
): number {
  let bytes = 0;
  for (const [index, event] of queue.entries()) {
    bytes += event.bytes;
    // A single event is always sent, even if it is too large. The server then refuses it.
    if (index > 0 && (index >= eventsMax || bytes > bytesMax)) return index;
  }
  return queue.length;
}

const AT_FAULT = /^\/events\/(\d+)\b/;

/**
 * Returns the events of a request that are given up. If the server names some, nothing was written,
 * and the others can be sent without them. Undefined: all are given up.
 */
export function refusedEvents(error: unknown, count: number): ReadonlySet<number> | undefined {
  if (!LedgerProblem.is(error) || error.maybeWritten || error.status >= 500) return undefined;
  if (error.body.mismatches !== undefined || error.errors.length === 0) return undefined;
  const refused = error.errors.map(({ pointer }) => Number(AT_FAULT.exec(pointer)?.[1]));
  return refused.every((index) => index < count) ? new Set(refused) : undefined;
}
