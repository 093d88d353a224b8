import { type IncomingEvent, invalidRequest } from "@eventledger/core";
import { decodeBinaryCloudEvent } from "./cloudevents-binary.ts";
import { decodeCloudEvent, decodeCloudEvents } from "./cloudevents-in.ts";
import { assertUtf8, NDJSON, parseMediaType, unsupportedMediaType } from "./media-type.ts";
import { decodeNative, ndjsonReader } from "./native-events.ts";
import { decodeUtf8, emptyBody, utf8Reader } from "./raw-json.ts";

/** The names and values of headers, as a fetch `Headers` iterates over them. */
type RequestHeaders = Iterable<readonly [string, string]> & {
  get(name: string): string | null;
};

export type PublishRequest = {
  readonly contentType: string | undefined;
  readonly headers: RequestHeaders;
};

/**
 * Decodes the body of a publish. The body is already decompressed and within the cap of a request.
 */
export type PublishDecoder =
  | { readonly whole: (body: Uint8Array) => IncomingEvent[] }
  /**
   * Takes the body piece by piece. `end` marks its end. Both functions throw for an invalid body.
   */
  | { readonly push: (bytes: Uint8Array) => void; readonly end: () => IncomingEvent[] };

const DECODERS: Readonly<Record<string, (text: string) => IncomingEvent[]>> = {
  "application/json": decodeNative,
  "application/cloudevents+json": decodeCloudEvent,
  "application/cloudevents-batch+json": decodeCloudEvents,
};

/**
 * Chooses the decoder for the events of a publish. The decoder keeps the order of the events, and
 * each `data` is exactly the text that was sent. A body has at least one event. Only an empty
 * CloudEvents batch may have none.
 *
 * Every event is valid and within the caps. Otherwise the first of these problems is thrown:
 * `unsupported-media-type` (here), `malformed-json` (invalid UTF-8 or JSON), `too-many-events`,
 * `invalid-request`, `unsupported-data`, `event-too-large`. For NDJSON it is the first problem of
 * the first invalid line.
 *
 * A CloudEvents media type decides first, then a `ce-specversion` header (binary mode, with any
 * media type of the data), then the native media types.
 */
export function publishDecoder({ contentType, headers }: PublishRequest): PublishDecoder {
  const mediaType = parseMediaType(contentType);
  const isStructured = mediaType?.essence.startsWith("application/cloudevents") ?? false;
  if (!isStructured && headers.get("ce-specversion") !== null) {
    return { whole: (body) => decodeBinaryCloudEvent({ contentType, headers, body }) };
  }
  if (!isStructured) assertNoAttributes(headers);
  if (contentType === undefined) return { whole: refuseUntyped };
  if (mediaType === undefined) throw unsupportedMediaType("The Content-Type is not a media type.");
  const isNdjson = mediaType.essence === NDJSON;
  const decode = DECODERS[mediaType.essence];
  if (decode === undefined && !isNdjson) {
    throw unsupportedMediaType(`${mediaType.essence} is not accepted.`);
  }
  assertUtf8(mediaType);
  return decode === undefined ? decodeLines() : { whole: (body) => decode(decodeUtf8(body)) };
}

/** Refuses the headers of binary mode on a request that is not in binary mode. */
function assertNoAttributes(headers: RequestHeaders): void {
  for (const [name] of headers) {
    if (!name.startsWith("ce-")) continue;
    throw invalidRequest(`/headers/${name}`, "needs ce-specversion, which marks binary mode");
  }
}

/** Refuses a request without a Content-Type. If it also has no body, that is reported. */
function refuseUntyped(body: Uint8Array): never {
  if (body.length === 0) throw emptyBody("Send one event, or several, as application/json.");
  throw unsupportedMediaType("The request has no Content-Type.");
}

function decodeLines(): PublishDecoder {
  const text = utf8Reader();
  const lines = ndjsonReader();
  return {
    push: (bytes) => lines.push(text.push(bytes)),
    end: () => {
      lines.push(text.end());
      return lines.end();
    },
  };
}
