import type { IncomingEvent, RawJson } from "@eventledger/core";
import { toEventAttributes } from "./cloudevents-in.ts";
import { decodeEvents } from "./envelope.ts";
import { BODY, type FieldPlace, type InvalidFields, invalidFields } from "./invalid-fields.ts";
import { assertUtf8, isJson, isUtf8, type MediaType, parseMediaType } from "./media-type.ts";
import { cutValue, decodeUtf8, parseJson, rawData } from "./raw-json.ts";

type BinaryRequest = {
  readonly contentType: string | undefined;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: Uint8Array;
};

/**
 * The attributes that binary mode does not send as `ce-` headers. The data is the body, and its
 * type is the Content-Type.
 */
const NOT_IN_HEADERS = new Set(["data", "data_base64", "datacontenttype"]);

/**
 * Decodes the event of a request in binary mode. A pointer to an attribute names its header, such
 * as `/headers/ce-id`. The body becomes `data` by these rules, each of which is reversible:
 * - An empty body means that there is no data.
 * - JSON is kept as it is.
 * - `text/*` in UTF-8 becomes a JSON string, as in the JSON form of CloudEvents.
 * - Any other bytes become a JSON string of Base64, marked by the header `ce-data_base64`.
 */
export function decodeBinaryCloudEvent(request: BinaryRequest): IncomingEvent[] {
  const { contentType, headers } = request;
  const { data, base64 } = readBody(parseMediaType(contentType), request.body);
  const fields = invalidFields();
  const envelope = Object.fromEntries([
    ...readHeaders(headers, fields),
    ...(contentType === undefined ? [] : [["datacontenttype", contentType]]),
    ...(base64 === undefined ? [] : [["data_base64", base64]]),
  ]);
  fields.assertNone();
  return decodeEvents([{ text: "", value: envelope, members: [], place: BODY }], (_, all) => {
    const how = { placeOf: placeOfAttribute, hasData: request.body.length > 0 };
    const attributes = toEventAttributes(envelope, how, all);
    return attributes && { attributes, data };
  });
}

const placeOf = (header: string): FieldPlace => ({ path: ["headers", header] });

const placeOfAttribute = (name: string): FieldPlace =>
  placeOf(name === "datacontenttype" ? "content-type" : `ce-${name}`);

type Body = {
  readonly data: () => RawJson;
  readonly base64?: string;
};

function readBody(mediaType: MediaType | undefined, body: Uint8Array): Body {
  if (body.length === 0) return { data: () => "null" as RawJson };
  if (mediaType !== undefined && isJson(mediaType)) {
    assertUtf8(mediaType);
    const text = decodeUtf8(body);
    parseJson(text);
    return { data: () => rawData(text, cutValue(text), () => BODY) };
  }
  const text = mediaType?.essence.startsWith("text/") && isUtf8(mediaType) && plainText(body);
  if (typeof text === "string") return { data: () => JSON.stringify(text) as RawJson };
  const base64 = Buffer.from(body).toString("base64");
  return { data: () => JSON.stringify(base64) as RawJson, base64 };
}

/**
 * Returns the text of UTF-8 bytes, including a byte order mark. Returns undefined when the bytes
 * are not UTF-8.
 */
function plainText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns the attributes in the `ce-*` headers, decoded. */
function readHeaders(headers: BinaryRequest["headers"], fields: InvalidFields): [string, string][] {
  return [...headers].flatMap(([header, value]): [string, string][] => {
    const [, name] = /^ce-(.*)$/.exec(header.toLowerCase()) ?? [];
    if (name === undefined) return [];
    if (NOT_IN_HEADERS.has(name)) {
      fields.add(placeOf(`ce-${name}`), "is not a header of binary mode");
      return [];
    }
    const decoded = decodeHeaderValue(value);
    if (decoded === undefined) {
      fields.add(
        placeOf(`ce-${name}`),
        "must be printable ASCII or UTF-8, which may be percent-encoded; structured mode allows any text",
      );
    }
    return decoded === undefined ? [] : [[name, decoded]];
  });
}

/**
 * Decodes a header value as the HTTP binding of CloudEvents prescribes: it removes quotes and then
 * decodes percent-encoding once. A percent sign without two hex digits stays as it is. Unencoded
 * UTF-8 is accepted, because SDKs send it. HTTP servers pass a header on with one character for
 * each byte. Returns undefined when the bytes are not UTF-8.
 */
function decodeHeaderValue(value: string): string | undefined {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return undefined;
  const text = plainText(Buffer.from(value, "latin1"));
  if (text === undefined) return undefined;
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  const plain = quoted === undefined ? text : quoted.replace(/\\(.)/g, "$1");
  try {
    return plain.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent);
  } catch {
    return undefined;
  }
}
