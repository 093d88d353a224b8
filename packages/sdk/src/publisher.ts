import type { StreamContext } from "./context.ts";
import type { NewEvent, Published, Receipt } from "./events/event.ts";
import { newIdempotencyKey } from "./events/idempotency-key.ts";
import { printEvent } from "./events/print-event.ts";
import { assertPublishable } from "./events/schema.ts";
import { signalling } from "./http/clock.ts";
import { FOREVER } from "./http/follow.ts";
import { publishEvents } from "./publish-events.ts";
import { nextBatch, refusedEvents } from "./publisher-plan.ts";

export type PublisherOptions = {
  /** How long an event waits for others to share its request. */
  readonly lingerMs?: number | undefined;
  /** The maximum number of events of a request. The server accepts 1,000. */
  readonly eventsMax?: number | undefined;
  /** The maximum number of bytes of a request. The server accepts 4 MiB. */
  readonly bytesMax?: number | undefined;
  /** `add` refuses events while more bytes than this wait. Await `ready` first. */
  readonly queuedBytesMax?: number | undefined;
};

/** Resolves to the receipt of this event. */
export type Added = Published & Pick<Receipt, "cursor" | "life">;

export type Publisher<In extends NewEvent = NewEvent> = {
  /** Resolves once there is room. */
  readonly ready: Promise<void>;
  /** Resolves once the event is durable. */
  add(event: In): Promise<Added>;
  /** Waits for all added events. Rejects with the first failure since the last flush. */
  flush(): Promise<void>;
  /** Flushes, and accepts no further events. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

type Waiting = PromiseWithResolvers<Added> & {
  readonly key: string;
  readonly printed: string;
  readonly bytes: number;
};

/** This is less than the 24 hours for which the server remembers an Idempotency-Key. */
const GIVE_UP_MS = 23 * 3_600_000;

/**
 * Collects events into requests. Only one request is in flight at a time, so that events keep the
 * order in which they were added. The publisher repeats it until its outcome is known, because a
 * later request that overtook it would change the order.
 */
export function createPublisher<In extends NewEvent>(
  { connection, stream, schemas }: Pick<StreamContext, "connection" | "stream" | "schemas">,
  {
    lingerMs = 5,
    eventsMax = 500,
    bytesMax = 1_000_000,
    queuedBytesMax = 8_000_000,
  }: PublisherOptions = {},
): Publisher<In> {
  const { clock } = connection;
  const name = newIdempotencyKey();
  const queue: Waiting[] = [];
  let queuedBytes = 0;
  let batches = 0;
  let unsettled = 0;
  let isSending = false;
  let isFlushing = false;
  let isClosed = false;
  let failure: { readonly error: unknown } | undefined;
  /** The outcome of a request is unknown, so no further request may follow it. */
  let broken: { readonly error: unknown } | undefined;
  let cancelLinger: (() => void) | undefined;
  let checked: Promise<unknown> = Promise.resolve();
  const ready = signalling();
  const idle = signalling();

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    cancelLinger?.();
    cancelLinger = undefined;
    while (queue.length > 0) {
      const batch = queue.splice(0, nextBatch(queue, { eventsMax, bytesMax }));
      await settle(batch);
      // Events that were added in the meantime have already waited for as long as the request took.
    }
    isSending = false;
  }

  async function settle(batch: readonly Waiting[]): Promise<void> {
    for (let rest = batch; rest.length > 0; ) {
      try {
        const { events, cursor, life } = await publish(rest);
        for (const [index, waiting] of rest.entries()) {
          waiting.resolve({ ...(events[index] as Published), cursor, life });
        }
        return;
      } catch (error) {
        failure ??= { error };
        // A request is written whole or not at all. The events at fault are given up, and the
        // others are sent again.
        const refused = refusedEvents(error, rest.length);
        rest = rest.filter((waiting, index) => {
          const isKept = refused !== undefined && !refused.has(index);
          if (!isKept) waiting.reject(error);
          return isKept;
        });
      }
    }
  }

  async function publish(batch: readonly Waiting[]): Promise<Receipt> {
    if (broken !== undefined) throw broken.error;
    batches += 1;
    const controller = new AbortController();
    let last: Error | undefined;
    const cancel = clock.after(GIVE_UP_MS, () => controller.abort(last));
    try {
      return await publishEvents(connection, stream, {
        events: batch,
        printed: batch.map(({ printed }) => printed),
        idempotencyKey: `${name}-${batches}`,
        attempts: FOREVER,
        signal: controller.signal,
        onRetry: (error) => {
          last = error;
        },
      });
    } catch (error) {
      if (controller.signal.aborted) broken = { error };
      throw error;
    } finally {
      cancel();
    }
  }

  function add(event: In): Promise<Added> {
    if (isClosed) return Promise.reject(new Error("the publisher is closed"));
    if (queuedBytes >= queuedBytesMax) {
      return Promise.reject(new Error("the publisher's queue is full: await ready before add"));
    }
    let printed: string;
    try {
      printed = printEvent(event);
    } catch (error) {
      return Promise.reject(error);
    }
    const bytes = printed.length;
    const settlers = Promise.withResolvers<Added>();
    const waiting = { ...settlers, key: event.key, printed, bytes };
    queuedBytes += bytes;
    unsettled += 1;
    const settled = () => {
      queuedBytes -= bytes;
      unsettled -= 1;
      if (queuedBytes < queuedBytesMax) ready.signal();
      if (unsettled === 0) idle.signal();
    };
    // flush() reports this failure, too.
    waiting.promise.then(settled, settled);
    if (schemas === undefined) enqueue(waiting);
    else {
      // Schemas may be asynchronous. Events keep the order in which they were added.
      const checking = assertPublishable(schemas, event);
      checking.catch(() => {});
      checked = checked.then(() =>
        checking.then(
          () => enqueue(waiting),
          (error: unknown) => {
            failure ??= { error };
            waiting.reject(error);
          },
        ),
      );
    }
    return waiting.promise;
  }

  function enqueue(waiting: Waiting): void {
    queue.push(waiting);
    if (isSending) return;
    if (isFlushing || nextBatch(queue, { eventsMax, bytesMax }) < queue.length) void send();
    else if (queue.length >= eventsMax) void send();
    else cancelLinger ??= clock.after(lingerMs, () => void send());
  }

  async function flush(): Promise<void> {
    isFlushing = true;
    await checked;
    void send();
    if (unsettled > 0) await idle.promise();
    isFlushing = false;
    const failed = failure;
    failure = undefined;
    if (failed !== undefined) throw failed.error;
  }

  const close = (): Promise<void> => {
    isClosed = true;
    return flush();
  };
  return {
    get ready() {
      return queuedBytes < queuedBytesMax ? Promise.resolve() : ready.promise();
    },
    add,
    flush,
    close,
    [Symbol.asyncDispose]: close,
  };
}
