import { type ConnectionOptions, openConnection } from "./connection-options.ts";
import type { NewEvent } from "./events/event.ts";
import type { NewEventOf, Schemas } from "./events/schema.ts";
import { type PublishingStream, publishingStream } from "./publishing-stream.ts";

export { InvalidEvent, LedgerProblem, LedgerUnreachable } from "./errors.ts";
export { type RawJson, rawJson } from "./events/raw-json.ts";

/**
 * Opens a stream for publishing only, for programs that must be small. Batching publishers are not
 * included.
 */
export function publishingTo<S extends Schemas>(
  options: ConnectionOptions & { readonly stream: string; readonly events: S },
): PublishingStream<NewEventOf<S>>;
export function publishingTo(
  options: ConnectionOptions & { readonly stream: string },
): PublishingStream<NewEvent>;
export function publishingTo({
  stream,
  events: schemas,
  ...options
}: ConnectionOptions & { readonly stream: string; readonly events?: Schemas }): unknown {
  return publishingStream({ connection: openConnection(options), stream, schemas });
}
