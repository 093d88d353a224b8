import { streamPath } from "./context.ts";
import type { NewEvent, Receipt } from "./events/event.ts";
import { newIdempotencyKey } from "./events/idempotency-key.ts";
import type { Connection } from "./http/request.ts";

export type PublishOptions = {
  /**
   * The name of this publish, for 24 hours: several requests with one name take effect once. Use
   * the id of the row or message that the event comes from, so that the name stays the same when
   * the process restarts. By default the SDK makes a new name.
   */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

type Batch = PublishOptions & {
  readonly events: readonly Pick<NewEvent, "key">[];
  /** Each event as JSON, in the same order. */
  readonly printed: readonly string[];
  readonly attempts?: number;
  readonly onRetry?: (error: Error) => void;
};

/** Sends all events in one request. Every repetition has the same key and body. */
export async function publishEvents(
  connection: Connection,
  stream: string,
  { events, printed, idempotencyKey = newIdempotencyKey(), ...how }: Batch,
): Promise<Receipt> {
  const { text } = await connection.request({
    method: "POST",
    path: `${streamPath(stream)}/events`,
    headers: { "Idempotency-Key": idempotencyKey },
    body: `{"events":[${printed.join(",")}]}`,
    ...how,
  });
  const receipt: Omit<Receipt, "events"> & { events: { id: string; sequence: number }[] } =
    JSON.parse(text);
  return {
    ...receipt,
    events: receipt.events.map((event, index) => ({ key: events[index]?.key ?? "", ...event })),
  };
}
