import type { StreamContext } from "./context.ts";
import { ask, streamPath } from "./context.ts";
import type { LedgerEvent, NewEvent, Page } from "./events/event.ts";
import type { Call } from "./http/call.ts";
import { createPublisher, type Publisher, type PublisherOptions } from "./publisher.ts";
import { type PublishingStream, publishingStream } from "./publishing-stream.ts";
import { type ReadOptions, readEach, readPages } from "./read.ts";
import type { SubscriptionSettings } from "./subscription/settings.ts";
import { openSubscription, type Subscription } from "./subscription/subscription.ts";
import { openView } from "./view/open-view.ts";
import type { ViewStore } from "./view/store.ts";
import type { View, ViewOptions } from "./view/view.ts";

export type Stream<
  In extends NewEvent = NewEvent,
  Out extends LedgerEvent = LedgerEvent,
> = PublishingStream<In> & {
  /** Collects events into requests. */
  publisher(options?: PublisherOptions): Publisher<In>;
  /** The events one by one. */
  read(options?: ReadOptions): AsyncGenerator<Out, void, void>;
  /** The events in pages, each with the cursor to continue from. */
  readPages(options?: ReadOptions): AsyncGenerator<Page<Out>, void, void>;
  subscription(name: string, settings?: SubscriptionSettings): Subscription<Out>;
  /** Keeps the current state of each key in a store. */
  view<Row = Exclude<Out["data"], null>, Store extends ViewStore<Row> = ViewStore<Row>>(
    options: ViewOptions<Row, Store, Out>,
  ): View<Row, Store>;
  /** Compacts the stream now, so that the list of current states covers the whole log. */
  compact(options?: { readonly signal?: AbortSignal }): Promise<void>;
};

/** The server compacts for up to 15 s before it answers. */
const COMPACT_TIMEOUT_MS = 30_000;

export function wholeStream(context: StreamContext): Stream {
  return {
    ...publishingStream(context),
    publisher: (options) => createPublisher(context, options),
    read: (options) => readEach(context, options),
    readPages: (options) => readPages(context, options),
    subscription: (name, settings) => openSubscription(context, name, settings),
    view: ((options: ViewOptions<unknown, ViewStore<unknown>, LedgerEvent>) =>
      openView(context, options)) as Stream["view"],
    async compact({ signal } = {}) {
      const call: Call = {
        method: "POST",
        path: `${streamPath(context.stream)}/compact`,
        body: {},
        timeoutMs: COMPACT_TIMEOUT_MS,
        signal,
      };
      while (!(await ask<{ done: boolean }>(context, call)).done);
    },
  };
}
