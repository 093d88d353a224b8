import type { StreamContext } from "../context.ts";
import type { LedgerEvent } from "../events/event.ts";
import type { Operations } from "./operations.ts";
import { type PagesOptions, subscriptionPages } from "./pages.ts";
import type { PollPage } from "./settings.ts";

export type RunOptions = PagesOptions & {
  /** How many events of different keys are processed at a time. Events of one key never overlap. */
  readonly concurrency?: number | undefined;
  /**
   * What happens when the handler throws. `stop`: run() rejects with the error, and the page is
   * delivered again. `park`: the events of the key wait from that one on, and the others continue.
   */
  readonly onError?: "park" | "stop" | undefined;
};

export type Handler<E> = (
  event: E,
  about: Pick<PollPage<E>, "life" | "phase"> & { readonly signal: AbortSignal | undefined },
) => unknown;

/** Passes every event to the handler. Rejects with the signal's reason once it is aborted. */
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
  // A concurrency of one keeps the order of the page, too.
  const queues =
    concurrency > 1
      ? [...Map.groupBy(page.events, ({ key }) => key).values()]
      : page.events.map((event) => [event]);
  const parked = new Set<string>();
  let failure: { readonly error: unknown } | undefined;

  const process = async (event: LedgerEvent): Promise<void> => {
    const { key, sequence } = event;
    try {
      signal?.throwIfAborted();
      await handler(event, { life, phase, signal });
    } catch (error) {
      // An error that is caused by the abort is not a failure.
      signal?.throwIfAborted();
      if (onError === "stop") throw error;
      parked.add(key);
      await operations.park({ key, sequence, reason: String(error) }, { signal });
    }
  };
  const worker = async (): Promise<void> => {
    for (let events = queues.shift(); events !== undefined; events = queues.shift()) {
      for (const event of events) {
        if (failure !== undefined) return;
        if (parked.has(event.key)) break;
        await process(event).catch((error: unknown) => {
          failure ??= { error };
        });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker));
  if (failure !== undefined) throw failure.error;
}
