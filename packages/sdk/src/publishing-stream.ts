import type { StreamContext } from "./context.ts";
import type { NewEvent, Receipt } from "./events/event.ts";
import { printEvent } from "./events/print-event.ts";
import { assertPublishable } from "./events/schema.ts";
import { type PublishOptions, publishEvents } from "./publish-events.ts";

/** Publishing to a stream. */
export type PublishingStream<In extends NewEvent = NewEvent> = {
  readonly name: string;
  /** Resolves once the events are durable, all of them. A lost answer is asked for again. */
  publish(events: In | readonly In[], options?: PublishOptions): Promise<Receipt>;
  /** Publishes a tombstone: the key has no current state any more. */
  delete(key: string, options?: PublishOptions): Promise<Receipt>;
};

export function publishingStream(
  context: Pick<StreamContext, "connection" | "stream" | "schemas">,
): PublishingStream {
  const { connection, stream, schemas } = context;
  const publish = async (
    given: NewEvent | readonly NewEvent[],
    options: PublishOptions = {},
  ): Promise<Receipt> => {
    const events = isList(given) ? given : [given];
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

const isList = (given: NewEvent | readonly NewEvent[]): given is readonly NewEvent[] =>
  Array.isArray(given);
