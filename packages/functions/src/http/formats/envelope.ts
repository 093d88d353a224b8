import { type IncomingEvent, invalidRequest, LedgerError, type RawJson } from "@eventledger/core";
import { type EventAttributes, LIMITS } from "@eventledger/protocol";
import {
  BODY,
  type FieldPlace,
  type InvalidFields,
  invalidField,
  invalidFields,
  sentence,
  toPointer,
  within,
} from "./invalid-fields.ts";
import {
  cutElements,
  cutMembers,
  cutOnlyList,
  type Element,
  type Member,
  rawData,
} from "./raw-json.ts";

/**
 * The most members that an object may have. An object with more is refused, and the others are not
 * read. An event has far fewer.
 */
const MEMBERS_MAX = 64;

/** One event of a body: its parsed value, and its members with their places in the text. */
export type EventSource = {
  readonly text: string;
  readonly value: unknown;
  /** Empty for a value that is not an object. */
  readonly members: readonly Member[];
  readonly place: FieldPlace;
};

/** Returns the source of a value that opens at or after `start`. */
export const sourceAt = (
  text: string,
  start: number,
  value: unknown,
  place: FieldPlace,
): EventSource => ({
  text,
  value,
  members: isObject(value) ? cutMembers(text, start, MEMBERS_MAX) : [],
  place,
});

/** An event whose attributes are valid. `data` checks the data when it is called. */
export type DecodedEvent = {
  readonly attributes: EventAttributes;
  readonly data: () => RawJson;
  readonly expectedSequence?: number | undefined;
};

/** For each key, the expected sequence that earlier events of the request state. */
export type Expected = Map<string, number>;

type ReadEvent = (source: EventSource, fields: InvalidFields) => DecodedEvent | undefined;

/**
 * Returns all events of a body, or throws the first of these: all invalid attributes of all events
 * (400), the first data that cannot be stored (422), the first event over the cap (413). `expected`
 * holds the expectations of earlier events. The expectations of these events are added to it.
 */
export function decodeEvents(
  sources: readonly EventSource[],
  read: ReadEvent,
  expected: Expected = new Map(),
): IncomingEvent[] {
  const fields = invalidFields();
  const decoded = sources.map((source) => read(source, fields));
  assertOneExpectation(sources, decoded, expected, fields);
  fields.assertNone();
  const events: IncomingEvent[] = [];
  for (const each of decoded) {
    if (each === undefined) continue;
    const { attributes, data, expectedSequence } = each;
    const event = { attributes, data: data() };
    events.push(expectedSequence === undefined ? event : { ...event, expectedSequence });
  }
  events.forEach((event, index) => {
    assertEventBytes(event, sources[index]?.place ?? BODY);
  });
  return events;
}

/** An expectation refers to the key before the request, so a key can have only one. */
function assertOneExpectation(
  sources: readonly EventSource[],
  decoded: readonly (DecodedEvent | undefined)[],
  expected: Expected,
  fields: InvalidFields,
): void {
  for (const [index, each] of decoded.entries()) {
    if (each?.expectedSequence === undefined) continue;
    const { key } = each.attributes;
    const first = expected.get(key) ?? each.expectedSequence;
    expected.set(key, first);
    const place = sources[index]?.place;
    if (first === each.expectedSequence || place === undefined) continue;
    fields.add(
      within(place, "expectedSequence"),
      `must be ${first}, as in an earlier event of this key, because it refers to the key before this request`,
    );
  }
}

/** Returns a function that takes the text of a member as data. */
export const memberData =
  ({ text, place }: EventSource, member: Member) =>
  (): RawJson =>
    rawData(text, member, () => within(place, member.name));

/**
 * Returns the size of an event that its cap limits: the UTF-8 bytes of its data as sent, plus those
 * of its attributes as compact JSON.
 */
export const eventBytes = ({ attributes, data }: IncomingEvent): number =>
  Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(attributes));

/** Throws `413 event-too-large` when an event is over the cap. */
function assertEventBytes(event: IncomingEvent, place: FieldPlace): void {
  if (isSmall(event)) return;
  const bytes = eventBytes(event);
  if (bytes <= LIMITS.eventBytesMax) return;
  const cap = LIMITS.eventBytesMax;
  const field = invalidField(place, `is an event of ${bytes} bytes; at most ${cap} are allowed`);
  throw new LedgerError("event-too-large", {
    detail: sentence(field),
    errors: [field],
    facts: { eventBytes: bytes, eventBytesMax: cap },
  });
}

/**
 * Returns whether an event is within the cap even if each unit of its text takes the most bytes
 * that it can. An event with headers is measured.
 */
export function isSmall({
  attributes: { key, type = "", id = "", time = "", headers },
  data,
}: IncomingEvent) {
  const units = key.length + type.length + id.length + time.length + ATTRIBUTE_UNITS;
  return headers === undefined && 3 * data.length + 6 * units <= LIMITS.eventBytesMax;
}

/** The names and the punctuation of all attributes. */
const ATTRIBUTE_UNITS = 60;

/** Throws `413 too-many-events` when a request has more events than one transaction allows. */
export function assertEventCount(count: number): void {
  if (count <= LIMITS.requestEventsMax) return;
  throw new LedgerError("too-many-events", {
    detail: `A request holds at most ${LIMITS.requestEventsMax} events. Split it.`,
    facts: { requestEventsMax: LIMITS.requestEventsMax },
  });
}

/** Returns the events of an array. Their number is checked before any of them is read. */
export function arraySources(text: string, at: number, value: unknown, place: FieldPlace) {
  if (!Array.isArray(value)) {
    throw invalidRequest(toPointer(place.path), "must be an array of events");
  }
  assertEventCount(value.length);
  return elementSources(text, cutElements(text, at, CUT_MAX), value, place);
}

/**
 * Returns the events of a text such as `{"events": [...]}` in one pass. Returns undefined for an
 * object with another member, and for too many events.
 */
export function onlyListSources(text: string, name: string, value: unknown, place: FieldPlace) {
  const elements = Array.isArray(value) ? cutOnlyList(text, name, CUT_MAX) : undefined;
  return elements && elementSources(text, elements, value as unknown[], place);
}

const CUT_MAX = { elements: LIMITS.requestEventsMax, members: MEMBERS_MAX };

const elementSources = (
  text: string,
  elements: readonly Element[],
  values: readonly unknown[],
  place: FieldPlace,
): EventSource[] =>
  elements.map(({ members }, index) => ({
    text,
    value: values[index],
    members,
    place: within(place, index),
  }));

/**
 * Returns the members of an object in which no name occurs twice. A parser keeps only one of two
 * members with the same name, so the stored object would differ from the one that was sent. Returns
 * undefined for a duplicate name and for a value that is not an object. `fields` then lists the
 * reason.
 */
export function envelopeMembers(
  { value, members, place }: EventSource,
  fields: InvalidFields,
): readonly Member[] | undefined {
  if (!isObject(value)) {
    fields.add(place, "must be of type object");
    return undefined;
  }
  if (members.length > MEMBERS_MAX) {
    fields.add(place, `has more than ${MEMBERS_MAX} members`);
    return undefined;
  }
  if (new Set(members.map(({ name }) => name)).size === members.length) return members;
  for (const name of repeatedNames(members)) {
    fields.add(within(place, name), "appears more than once");
  }
  return undefined;
}

function repeatedNames(members: readonly Member[]): Set<string> {
  const isRepeated = ({ name }: Member, index: number) =>
    members.findIndex((other) => other.name === name) < index;
  return new Set(members.filter(isRepeated).map(({ name }) => name));
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
