import type { NewEvent, Receipt } from "./events/event.ts";
import { newIdempotencyKey } from "./events/idempotency-key.ts";
import type { Connection } from "./http/request.ts";

export type PublishOptions = {
  /**
   * Names this publish for 24 hours: the same name takes effect once. Give the id of the row or
   * message that the event comes from, so that it also holds across restarts of the process. One is
   * made when none is given.
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

/** One request with all of the events. However often it is sent, its key and body are the same. */
export async function publishEvents(
  connection: Connection,
  stream: string,
  { events, printed, idempotencyKey = newIdempotencyKey(), ...how }: Batch,
): Promise<Receipt> {
  const { text } = await connection.request({
    method: "POST",
    path: `/streams/${encodeURIComponent(stream)}/events`,
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
