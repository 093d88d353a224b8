import type { StreamContext } from "./context.ts";
import type { NewEvent, Receipt } from "./events/event.ts";
import { printEvent } from "./events/print-event.ts";
import { assertPublishable } from "./events/schema.ts";
import { type PublishOptions, publishEvents } from "./publish-events.ts";

/** Publishing to a stream. */
export type PublishingStream<In extends NewEvent = NewEvent> = {
  readonly name: string;
  /** Resolves once all events are durable. If the answer is lost, the request is repeated. */
  publish(events: In | readonly In[], options?: PublishOptions): Promise<Receipt>;
  /** Publishes a tombstone: afterwards the key has no current state. */
  delete(key: string, options?: PublishOptions): Promise<Receipt>;
};

export function publishingStream({
  connection,
  stream,
  schemas,
}: Pick<StreamContext, "connection" | "stream" | "schemas">): PublishingStream {
  const publish = async (
    given: NewEvent | readonly NewEvent[],
    options: PublishOptions = {},
  ): Promise<Receipt> => {
    const events = [given].flat() as NewEvent[];
    const printed = events.map(printEvent);
    for (const event of events) await assertPublishable(schemas, event);
    return publishEvents(connection, stream, { ...options, events, printed });
  };
  return {
    name: stream,
    publish,
    delete: (key, options) => publish({ key, data: null }, options),
  };
}
