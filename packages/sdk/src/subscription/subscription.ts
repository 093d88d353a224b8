import type { StreamContext } from "../context.ts";
import type { LedgerEvent } from "../events/event.ts";
import { type Operations, subscriptionOperations } from "./operations.ts";
import { type PagesOptions, subscriptionPages } from "./pages.ts";
import { type Handler, type RunOptions, run } from "./run.ts";
import type { PollPage, SubscriptionSettings } from "./settings.ts";

export type Subscription<Out extends LedgerEvent = LedgerEvent> = {
  readonly name: string;
  /** Pages of events. Each is committed when the next one is asked for. */
  pages(options?: PagesOptions): AsyncGenerator<PollPage<Out>, void, void>;
  /** Passes each event to a handler, never two of one key at a time. */
  run(handler: Handler<Out>, options?: RunOptions): Promise<void>;
} & Pick<
  Operations,
  "consumer" | "info" | "lag" | "seek" | "park" | "parked" | "retry" | "skip" | "delete"
> & {
    /** Releases this worker's share at once. `pages` and `run` do so themselves. */
    leave(): Promise<void>;
    /** Creates the subscription. `pages` and `run` do so themselves if a start is given. */
    create(signal?: AbortSignal): Promise<void>;
  };

export function openSubscription(
  context: StreamContext,
  name: string,
  settings: SubscriptionSettings = {},
): Subscription {
  const operations = subscriptionOperations(context, name, settings);
  return {
    name,
    ...operations,
    pages: (options) => subscriptionPages(context, operations, options),
    run: (handler, options) => run(context, operations, handler, options),
  };
}
