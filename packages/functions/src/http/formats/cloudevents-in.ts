import { type IncomingEvent, invalidRequest, type RawJson } from "@eventledger/core";
import { EventAttributes } from "@eventledger/protocol";
import { CloudEvent, EXTENSION_NAME, toHeaders } from "./cloudevents.ts";
import {
  arraySources,
  type DecodedEvent,
  decodeEvents,
  type EventSource,
  envelopeMembers,
  isObject,
  memberData,
  sourceAt,
} from "./envelope.ts";
import {
  BODY,
  type FieldPlace,
  fieldsOfIssues,
  type InvalidFields,
  within,
  wording,
} from "./invalid-fields.ts";
import { type Member, parseJson } from "./raw-json.ts";

/** Returns the event of an `application/cloudevents+json` body (structured mode). */
export function decodeCloudEvent(text: string): IncomingEvent[] {
  return decodeEvents([sourceAt(text, 0, parseJson(text), BODY)], readCloudEvent);
}

/** Returns the events of an `application/cloudevents-batch+json` body. An empty batch has none. */
export function decodeCloudEvents(text: string): IncomingEvent[] {
  const value = parseJson(text);
  if (!Array.isArray(value)) throw invalidRequest("", "must be an array of CloudEvents");
  return decodeEvents(arraySources(text, 0, value, BODY), readCloudEvent);
}

/** Returns the place of an attribute in the request. */
type AttributePlace = (name: string) => FieldPlace;

/**
 * Converts the attributes of a CloudEvent to those of an event. The key is `partitionkey`, or else
 * `subject`. An attribute without a field of its own becomes a header. Returns undefined when the
 * attributes are not valid. `fields` then lists the reasons.
 */
export function toEventAttributes(
  envelope: Record<string, unknown>,
  { placeOf, hasData }: { readonly placeOf: AttributePlace; readonly hasData: boolean },
  fields: InvalidFields,
): EventAttributes | undefined {
  const before = fields.count;
  for (const name of Object.keys(envelope)) {
    if (EXTENSION_NAME.test(name) || name === "data_base64") continue;
    fields.add(placeOf(name), "is not a legal attribute name: lower-case letters and digits only");
  }
  const parsed = CloudEvent.safeParse(envelope, { error: wording });
  for (const { path, detail } of fieldsOfIssues(parsed.error?.issues ?? [])) {
    fields.add(placeOf(String(path[0])), detail);
  }
  const keyName = envelope.partitionkey === undefined ? "subject" : "partitionkey";
  if (envelope[keyName] === undefined) {
    fields.add(
      placeOf("partitionkey"),
      "is required as the key of the event, unless `subject` is set",
    );
  }
  if (fields.count > before || !parsed.success) return undefined;
  const { id, type, time } = parsed.data;
  const headers = toHeaders(parsed.data, { hasData });
  const attributes = { key: parsed.data[keyName], type, id, headers };
  const timed = time === undefined ? attributes : { ...attributes, time };
  return withinCaps(timed, keyName, placeOf, fields);
}

function withinCaps(
  attributes: Record<string, unknown>,
  keyName: "partitionkey" | "subject",
  placeOf: AttributePlace,
  fields: InvalidFields,
): EventAttributes | undefined {
  const parsed = EventAttributes.safeParse(attributes, { error: wording });
  if (parsed.success) return parsed.data;
  for (const { path, detail } of fieldsOfIssues(parsed.error.issues)) {
    const [field, header] = path;
    const [, name = keyName] = /^ce-([^.]+)/.exec(String(header ?? "")) ?? [];
    if (field === "headers" && header === undefined) {
      fields.add(
        placeOf("source"),
        `and the other attributes, which are kept as headers, ${detail}`,
      );
    } else {
      fields.add(placeOf(name), detail);
    }
  }
  return undefined;
}

function readCloudEvent(source: EventSource, fields: InvalidFields): DecodedEvent | undefined {
  const { value, place } = source;
  const members = envelopeMembers(source, fields);
  if (members === undefined || !isObject(value)) return undefined;
  const envelope = Object.fromEntries(members.flatMap(({ name }) => unlessNull(name, value[name])));
  const hasData = envelope.data_base64 !== undefined || members.some(({ name }) => name === "data");
  const placeOf = (name: string) => within(place, name);
  const attributes = toEventAttributes(envelope, { placeOf, hasData }, fields);
  if (envelope.data !== undefined && envelope.data_base64 !== undefined) {
    fields.add(within(place, "data_base64"), "must not be sent together with `data`");
  }
  return attributes && { attributes, data: dataOf(source, members, envelope.data_base64) };
}

const unlessNull = (name: string, value: unknown): [string, unknown][] =>
  value === null ? [] : [[name, value]];

/**
 * Base64 data becomes a JSON string, in which an escaped `/` means the same. Missing data becomes
 * null.
 */
function dataOf(
  source: EventSource,
  members: readonly Member[],
  base64: unknown,
): DecodedEvent["data"] {
  if (typeof base64 === "string") return () => JSON.stringify(base64) as RawJson;
  const data = members.find(({ name }) => name === "data");
  return data ? memberData(source, data) : () => "null" as RawJson;
}
