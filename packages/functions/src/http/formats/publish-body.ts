import type { IncomingEvent } from "@eventledger/core";
import { decodeBinaryCloudEvent } from "./cloudevents-binary.ts";
import { decodeCloudEvent, decodeCloudEvents } from "./cloudevents-in.ts";
import { assertUtf8, parseMediaType, unsupportedMediaType } from "./media-type.ts";
import { decodeNative, decodeNdjson } from "./native-events.ts";
import { decodeUtf8 } from "./raw-json.ts";

/** Header names and values, as a fetch `Headers` gives them. */
type RequestHeaders = Iterable<readonly [string, string]> & {
  get(name: string): string | null;
};

export type PublishRequest = {
  readonly contentType: string | undefined;
  readonly headers: RequestHeaders;
  /** Whole, unpacked, and no larger than the cap of a request. */
  readonly body: Uint8Array;
};

const DECODERS: Readonly<Record<string, (text: string) => IncomingEvent[]>> = {
  "application/json": decodeNative,
  "application/x-ndjson": decodeNdjson,
  "application/cloudevents+json": decodeCloudEvent,
  "application/cloudevents-batch+json": decodeCloudEvents,
};

/**
 * The events of a publish, in the order they were sent, each `data` exactly the text that was sent.
 * At least one, but for an empty CloudEvents batch, which is legal. Every event is valid and within
 * the caps, or the first of these is thrown: `unsupported-media-type`, `malformed-json` (UTF-8,
 * then JSON), `too-many-events`, `invalid-request`, `unsupported-data`, `event-too-large`.
 *
 * A CloudEvents media type decides first, then a `ce-specversion` header (binary mode, whatever the
 * media type of the data), then the native media types.
 */
export function decodePublish({ contentType, headers, body }: PublishRequest): IncomingEvent[] {
  const mediaType = parseMediaType(contentType);
  const isStructured = mediaType?.essence.startsWith("application/cloudevents") ?? false;
  if (!isStructured && headers.get("ce-specversion") !== null) {
    return decodeBinaryCloudEvent({ contentType, headers, body });
  }
  if (mediaType === undefined) {
    throw unsupportedMediaType(
      contentType === undefined
        ? "The request has no Content-Type."
        : "The Content-Type is not a media type.",
    );
  }
  const decode = DECODERS[mediaType.essence];
  if (decode === undefined) throw unsupportedMediaType(`${mediaType.essence} is not accepted.`);
  assertUtf8(mediaType);
  return decode(decodeUtf8(body));
}
