import { isTombstone, type RawJson, type StoredEvent } from "@eventledger/core";
import { boundedText, described, EventKey, LIMITS, Timestamp } from "@eventledger/protocol";
import * as z from "zod/mini";

/** The number of digits of the `sequence` extension: enough for every safe integer. */
const SEQUENCE_DIGITS = 16;

/** The `type` of an event that was published without one. */
const DEFAULT_TYPE = "eventledger.event";

/**
 * A header of this name with the value `true` marks binary data that is stored as a JSON string of
 * Base64. It cannot clash with an extension, because the names of extensions contain no underscore.
 */
const BASE64_HEADER = "ce-data_base64";

/**
 * A header of this name with the value `true` marks a CloudEvent that was sent without data. Such
 * an event is a tombstone, as with `data: null`, and is delivered without data again.
 */
const ABSENT_HEADER = "ce-data_absent";

export const EXTENSION_NAME = /^[a-z0-9]+$/;

const URI_CHAR = "(?:[A-Za-z0-9\\-._~:/?#@!$&'()*+,;=\\[\\]]|%[0-9A-Fa-f]{2})";
const URI_REFERENCE = new RegExp(`^${URI_CHAR}+$`);
const ABSOLUTE_URI = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:${URI_CHAR}+$`);

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const isBase64 = (text: string): boolean => text.length % 4 === 0 && BASE64.test(text);

const UriReference = z
  .string()
  .check(z.regex(URI_REFERENCE, { error: "must be a URI reference (RFC 3986) and not empty" }));
const Uri = z
  .string()
  .check(z.regex(ABSOLUTE_URI, { error: "must be an absolute URI (RFC 3986)" }));

/**
 * A CloudEvent 1.0 in its JSON form, without attributes that are `null`. Members that are not
 * listed here are extensions.
 */
export const CloudEvent = described(
  z.catchall(
    z.object({
      specversion: z.literal("1.0"),
      id: boundedText(LIMITS.idBytesMax),
      source: UriReference,
      type: boundedText(LIMITS.typeBytesMax),
      time: z.optional(Timestamp),
      subject: z.optional(z.string().check(z.minLength(1))),
      datacontenttype: z.optional(z.string().check(z.minLength(1))),
      dataschema: z.optional(Uri),
      partitionkey: described(z.optional(EventKey), {
        description: "The key; `subject` when absent.",
      }),
      data: z.optional(z.unknown()),
      data_base64: z.optional(
        z.string().check(z.refine(isBase64, { error: "must be Base64 (RFC 4648)" })),
      ),
    }),
    z.union([z.string(), z.boolean(), z.int32()], {
      error: "must be a string, a boolean or an integer of 32 bits",
    }),
  ),
  {
    id: "CloudEvent",
    description: "A CloudEvent 1.0. Absent or null data deletes the key.",
    examples: [
      {
        specversion: "1.0",
        id: "1f0c",
        source: "/shop",
        type: "order.placed",
        partitionkey: "order-123",
        data: { total: 42 },
      },
    ],
  },
);
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The members that an event has a field for. They are not kept as `ce-` headers. */
const PLACED = new Set([
  "specversion",
  "id",
  "type",
  "time",
  "partitionkey",
  "data",
  "data_base64",
]);

/**
 * Converts what an event has no field for to headers. `toCloudEventJson` converts them back. A text
 * attribute becomes `ce-<name>`. A number becomes `ce-<name>.integer`, and a boolean becomes
 * `ce-<name>.boolean`. Further headers mark Base64 data and missing data.
 */
export function toHeaders(
  event: CloudEvent,
  { hasData }: { readonly hasData: boolean },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (PLACED.has(name) || value === undefined) continue;
    const suffix = typeof value === "string" ? "" : `.${numberOrBoolean(value)}`;
    headers[`ce-${name}${suffix}`] = String(value);
  }
  if (event.data_base64 !== undefined) headers[BASE64_HEADER] = "true";
  // The mark is left out when the event already has the maximum number of headers. The data is then
  // delivered as null.
  const hasRoom = Object.keys(headers).length < LIMITS.headersMax;
  if (!hasData && hasRoom) headers[ABSENT_HEADER] = "true";
  return headers;
}

const numberOrBoolean = (value: unknown) => (typeof value === "number" ? "integer" : "boolean");

/**
 * Returns an event as a CloudEvent 1.0 in JSON, with its data exactly as published. These
 * attributes are always present: `partitionkey` (the key), `sequence` (16 decimal digits, so that
 * text order is number order) and `time` (the time of publishing, unless the event has its own).
 *
 * An event that was published as a CloudEvent keeps its attributes. If they include `sequence`, the
 * number in the log becomes `ledgersequence`. Any other event gets the source `/streams/<name>`
 * and, without a type, `eventledger.event`. Its headers become extensions when CloudEvents allows
 * the name (letters and digits, not the name of an attribute). Other headers are left out.
 */
export function toCloudEventJson(streamName: string, event: StoredEvent): string {
  const headers = event.headers ?? {};
  const context: Record<string, unknown> = {
    specversion: "1.0",
    id: event.id,
    source: `/streams/${streamName}`,
    type: event.type ?? DEFAULT_TYPE,
    time: event.time ?? new Date(event.publishedAt).toISOString(),
    ...ownAttributes(headers),
    partitionkey: event.key,
    ...sequencesOf(event),
    ...(event.erased === undefined ? {} : { erased: true }),
    ...(event.erasure === undefined ? {} : { erasure: event.erasure }),
  };
  addExtensions(context, headers);
  if (headers[ABSENT_HEADER] === "true" && isTombstone(event)) return JSON.stringify(context);
  const member = isKeptBase64(headers, event.data) ? "data_base64" : "data";
  return `${JSON.stringify(context).slice(0, -1)},"${member}":${event.data}}`;
}

/**
 * Returns the number in the log as `sequence`, or as `ledgersequence` when the CloudEvent has its
 * own `sequence`.
 */
function sequencesOf({ sequence, headers = {} }: StoredEvent): Record<string, unknown> {
  const number = String(sequence).padStart(SEQUENCE_DIGITS, "0");
  const own =
    ownAttributes(headers).source === undefined
      ? undefined
      : (headers["ce-sequence"] ??
        typedValue("integer", headers["ce-sequence.integer"] ?? "") ??
        typedValue("boolean", headers["ce-sequence.boolean"] ?? ""));
  return own === undefined ? { sequence: number } : { sequence: own, ledgersequence: number };
}

/**
 * Returns the attributes that are kept as headers. A native publisher can set such headers to any
 * value, so values that CloudEvents does not allow are ignored.
 */
function ownAttributes(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "ce-source": source, "ce-dataschema": dataschema } = headers;
  const { "ce-subject": subject, "ce-datacontenttype": datacontenttype } = headers;
  return {
    ...(source !== undefined && URI_REFERENCE.test(source) && { source }),
    ...(subject && { subject }),
    ...(datacontenttype && { datacontenttype }),
    ...(dataschema !== undefined && ABSOLUTE_URI.test(dataschema) && { dataschema }),
  };
}

const RESERVED = new Set(["source", "subject", "datacontenttype", "dataschema", "sequence"]);
const KEPT_EXTENSION = /^ce-([a-z0-9]+)(?:\.(integer|boolean))?$/;

/**
 * Extensions of the original CloudEvent come first, so that a native header cannot take their
 * names.
 */
function addExtensions(
  context: Record<string, unknown>,
  headers: Readonly<Record<string, string>>,
) {
  const add = (name: string, value: unknown) => {
    const taken = PLACED.has(name) || RESERVED.has(name) || Object.hasOwn(context, name);
    if (!taken && value !== undefined) context[name] = value;
  };
  for (const [header, value] of Object.entries(headers)) {
    const [, name, kind] = KEPT_EXTENSION.exec(header) ?? [];
    if (name !== undefined) add(name, typedValue(kind, value));
  }
  for (const [header, value] of Object.entries(headers)) {
    if (EXTENSION_NAME.test(header)) add(header, value);
  }
}

function typedValue(
  kind: string | undefined,
  value: string,
): string | number | boolean | undefined {
  if (kind === undefined) return value;
  if (kind === "integer") return String(Number(value) | 0) === value ? Number(value) : undefined;
  return value === "true" || value === "false" ? value === "true" : undefined;
}

const isKeptBase64 = (headers: Readonly<Record<string, string>>, data: RawJson): boolean =>
  headers[BASE64_HEADER] === "true" && /^"[^"\\]*"$/.test(data) && isBase64(data.slice(1, -1));
