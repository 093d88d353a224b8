import { ask, type StreamContext, streamPath } from "./context.ts";
import type { LedgerEvent, Page } from "./events/event.ts";
import { type OnInvalid, readEvents, type WireEvent } from "./events/read-events.ts";
import { FOREVER, pace, waitSecondsAfter } from "./http/follow.ts";

export type ReadOptions = {
  /** The default is `earliest`. It can also be `latest`, a time, a sequence or a cursor. */
  readonly from?: string | number | undefined;
  /** Where reading ends. */
  readonly until?: string | number | undefined;
  /** `desc`: newest first. */
  readonly order?: "asc" | "desc" | undefined;
  readonly type?: string | undefined;
  readonly key?: string | undefined;
  readonly keyPrefix?: string | undefined;
  /** The maximum number of events of a request. */
  readonly pageEvents?: number | undefined;
  /** Waits for further events at the end, through every outage, until the signal is aborted. */
  readonly follow?: boolean | undefined;
  /** What happens to an event that its schema refuses. The default is `throw`. */
  readonly onInvalid?: OnInvalid | undefined;
  /** Called for each failure after which a request is sent again. */
  readonly onRetry?: ((error: Error) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Reads a stream page by page, without a subscription. Reading can continue from a page's cursor.
 */
export async function* readPages(
  context: StreamContext,
  { from, pageEvents, follow, onInvalid, onRetry, signal, ...filter }: ReadOptions = {},
): AsyncGenerator<Page<LedgerEvent>, void, void> {
  let former: Page<WireEvent> | undefined;
  for (;;) {
    const page: Page<WireEvent> = await ask(context, {
      method: "GET",
      path: `${streamPath(context.stream)}/events`,
      query: { ...filter, limit: pageEvents, from: former?.cursor ?? from },
      ...(follow && { waitSeconds: waitSecondsAfter(context.wait, former), attempts: FOREVER }),
      signal,
      onRetry,
    });
    const events = await readEvents(context.schemas, page.events, onInvalid);
    yield { ...page, events };
    if (page.caughtUp && !follow) return;
    await pace(context.connection.clock, page, signal);
    former = page;
  }
}

/** Reads the same event by event. */
export async function* readEach(
  context: StreamContext,
  options: ReadOptions = {},
): AsyncGenerator<LedgerEvent, void, void> {
  for await (const { events } of readPages(context, options)) {
    for (const event of events) {
      options.signal?.throwIfAborted();
      yield event;
    }
  }
}
