import type { StreamContext } from "../context.ts";
import type { LedgerEvent } from "../events/event.ts";
import type { Operations } from "./operations.ts";
import { type PagesOptions, subscriptionPages } from "./pages.ts";
import type { PollPage } from "./settings.ts";

export type RunOptions = PagesOptions & {
  /** Events of different keys that are processed at a time. Those of one key never are. */
  readonly concurrency?: number | undefined;
  /**
   * What happens when the handler throws. `stop`: run() rejects with it, and the page comes again.
   * `park`: the key waits from that event on, and the rest continues.
   */
  readonly onError?: "park" | "stop" | undefined;
};

export type Handler<E> = (
  event: E,
  about: Pick<PollPage<E>, "life" | "phase"> & { readonly signal: AbortSignal | undefined },
) => unknown;

/** Hands every event to the handler. Once the signal is aborted, it rejects with its reason. */
export async function run(
  context: StreamContext,
  operations: Operations,
  handler: Handler<LedgerEvent>,
  options: RunOptions = {},
): Promise<void> {
  for await (const page of subscriptionPages(context, operations, options)) {
    await processPage(page, operations, handler, options);
  }
}

async function processPage(
  page: PollPage<LedgerEvent>,
  operations: Operations,
  handler: Handler<LedgerEvent>,
  { concurrency = 1, onError = "stop", signal }: RunOptions,
): Promise<void> {
  const { life, phase } = page;
  const queues = [...Map.groupBy(page.events, ({ key }) => key).values()];
  const parked = new Set<string>();
  let failure: { readonly error: unknown } | undefined;

  const processKey = async (events: readonly LedgerEvent[]): Promise<void> => {
    for (const event of events) {
      if (failure !== undefined || parked.has(event.key)) return;
      signal?.throwIfAborted();
      try {
        await handler(event, { life, phase, signal });
      } catch (error) {
        // What fails because it is to end has not failed.
        signal?.throwIfAborted();
        if (onError === "stop") throw error;
        const { key, sequence } = event;
        parked.add(key);
        await operations.park({ key, sequence, reason: String(error) }, { signal });
      }
    }
  };
  const worker = async (): Promise<void> => {
    for (let next = queues.shift(); next !== undefined; next = queues.shift()) {
      if (failure !== undefined) return;
      await processKey(next).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  // One at a time keeps the order of the page, too.
  if (concurrency <= 1) queues.splice(0, queues.length, ...page.events.map((event) => [event]));
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker));
  if (failure !== undefined) throw failure.error;
}
