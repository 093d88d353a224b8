import { type IncomingEvent, invalidRequest, LedgerError, type RawJson } from "@eventledger/core";
import { type EventAttributes, LIMITS } from "@eventledger/protocol";
import {
  type InvalidFields,
  invalidField,
  invalidFields,
  type Place,
  sentence,
  within,
} from "./invalid-fields.ts";
import { cutElements, cutMembers, type Member, rawData } from "./raw-json.ts";

/** Far more than any event has: beyond it an object is refused unread. */
const MEMBERS_MAX = 64;

/** One event of a body: its parsed value, and its place in the text. */
export type EventSource = {
  readonly text: string;
  /** At or before the value, with only white space in between. */
  readonly start: number;
  readonly value: unknown;
  readonly place: Place;
};

/** An event whose attributes are valid. Its data is judged when it is taken. */
export type Draft = {
  readonly attributes: EventAttributes;
  readonly data: () => RawJson;
  readonly expectedSequence?: number | undefined;
};

/** The expectations of earlier events of the request for their keys. */
export type Expected = Map<string, number>;

type ReadEvent = (source: EventSource, fields: InvalidFields) => Draft | undefined;

/**
 * Returns all events of a body, or throws. It first reports everything that is wrong with the
 * attributes of any event (400), then the first data that cannot be kept (422), then the first
 * event over the cap (413). `expected` has the expectations of earlier events. Those of these
 * events are added.
 */
export function decodeEvents(
  sources: readonly EventSource[],
  read: ReadEvent,
  expected: Expected = new Map(),
): IncomingEvent[] {
  const fields = invalidFields();
  const drafts = sources.map((source) => read(source, fields));
  assertOneExpectation(sources, drafts, expected, fields);
  fields.assertNone();
  const events = drafts.flatMap((draft): IncomingEvent[] => {
    if (draft === undefined) return [];
    const { attributes, data, expectedSequence } = draft;
    const event = { attributes, data: data() };
    return [expectedSequence === undefined ? event : { ...event, expectedSequence }];
  });
  for (const [index, event] of events.entries()) {
    assertEventBytes(event, sources[index]?.place ?? { pointer: "" });
  }
  return events;
}

/** An expectation is about the key before the request, so it cannot be two sequences. */
function assertOneExpectation(
  sources: readonly EventSource[],
  drafts: readonly (Draft | undefined)[],
  expected: Expected,
  fields: InvalidFields,
): void {
  for (const [index, draft] of drafts.entries()) {
    if (draft?.expectedSequence === undefined) continue;
    const { key } = draft.attributes;
    const first = expected.get(key) ?? draft.expectedSequence;
    expected.set(key, first);
    const place = sources[index]?.place;
    if (first === draft.expectedSequence || place === undefined) continue;
    fields.add(
      within(place, "expectedSequence"),
      `must be ${first}, as for an earlier event of this key: it is that of the key before this request`,
    );
  }
}

/** Takes a member's text as data. */
export const memberData =
  ({ text, place }: EventSource, { name, start, end, depth }: Member) =>
  (): RawJson =>
    rawData(text, { start, end, depth }, within(place, name));

/**
 * The size of an event, the measure of its cap: the UTF-8 bytes of its data as it was sent and of
 * its attributes as compact JSON.
 */
export const eventBytes = ({ attributes, data }: IncomingEvent): number =>
  Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(attributes));

/** Throws `413 event-too-large` when an event is over the cap. */
function assertEventBytes(event: IncomingEvent, place: Place): void {
  const bytes = eventBytes(event);
  if (bytes <= LIMITS.eventBytesMax) return;
  const cap = LIMITS.eventBytesMax;
  const field = invalidField(place, `is an event of ${bytes} bytes, the cap is ${cap}`);
  throw new LedgerError("event-too-large", {
    detail: sentence(field),
    errors: [field],
    facts: { eventBytes: bytes, eventBytesMax: cap },
  });
}

/** Throws `413 too-many-events` when a request has more events than one transaction allows. */
export function assertEventCount(count: number): void {
  if (count <= LIMITS.requestEventsMax) return;
  throw new LedgerError("too-many-events", {
    detail: `A request holds at most ${LIMITS.requestEventsMax} events. Split it.`,
    facts: { requestEventsMax: LIMITS.requestEventsMax },
  });
}

/** The events of an array: counted before a single one is looked at. */
export function arraySources(text: string, at: number, value: unknown, place: Place) {
  if (!Array.isArray(value)) throw invalidRequest(place.pointer, "must be an array of events");
  assertEventCount(value.length);
  return cutElements(text, at).map(
    ({ start }, index): EventSource => ({
      text,
      start,
      value: value[index],
      place: within(place, index),
    }),
  );
}

/**
 * Returns the members of an object if no name occurs twice. A parser drops one of two members with
 * the same name, so the stored object would differ from the one that was sent. Returns undefined
 * for a duplicate, and for a value that is no object. `fields` then has the reason.
 */
export function envelopeMembers(
  { text, start, value, place }: EventSource,
  fields: InvalidFields,
): Member[] | undefined {
  if (!isObject(value)) {
    fields.add(place, "must be of type object");
    return undefined;
  }
  const members = cutMembers(text, start, MEMBERS_MAX);
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
