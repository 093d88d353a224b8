import { type IncomingEvent, invalidRequest } from "@eventledger/core";
import { NewEvent } from "@eventledger/protocol";
import {
  arraySources,
  assertEventCount,
  type DecodedEvent,
  decodeEvents,
  type EventSource,
  type Expected,
  envelopeMembers,
  isObject,
  memberData,
  onlyListSources,
  sourceAt,
} from "./envelope.ts";
import {
  BODY,
  fieldsOfIssues,
  type InvalidFields,
  invalidFields,
  within,
  wording,
} from "./invalid-fields.ts";
import { readPlainList } from "./plain-body.ts";
import { readPlainEvent } from "./plain-event.ts";
import { parseJson } from "./raw-json.ts";

/** Returns the events of an `application/json` body: one event, or `{"events": [...]}`. */
export const decodeNative = (text: string): IncomingEvent[] =>
  readPlainList(text) ?? decodeAnyNative(text);

/** Does the same for any body, and words its refusal. */
export function decodeAnyNative(text: string): IncomingEvent[] {
  const value = parseJson(text);
  if (!isObject(value)) {
    throw invalidRequest("", 'must be an object: one event, or {"events": [...]}');
  }
  const isList = Object.hasOwn(value, "events");
  const sources = isList ? listedSources(text, value) : [sourceAt(text, 0, value, BODY)];
  return decodeEvents(sources, readNativeEvent);
}

/**
 * Reads an NDJSON body piece by piece. `end` returns the events. Both functions throw for an
 * invalid line.
 */
export type NdjsonReader = { push(text: string): void; end(): IncomingEvent[] };

/**
 * Reads an `application/x-ndjson` body with one event per line. Blank lines are skipped. Each line
 * is checked as soon as it is complete, so the first invalid line ends the request. A pointer
 * counts events from 0, as the receipt does. The detail names the line, counted from 1.
 */
export function ndjsonReader(): NdjsonReader {
  const events: IncomingEvent[] = [];
  const expected: Expected = new Map();
  let begun = "";
  let line = 0;
  const take = (text: string): void => {
    line++;
    if (text.trim() === "") return;
    assertEventCount(events.length + 1);
    const place = { path: [events.length], line };
    const source = sourceAt(text, 0, parseJson(text, `Line ${line}`), place);
    events.push(...decodeEvents([source], readNativeEvent, expected));
  };
  return {
    push(text) {
      let start = 0;
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
        const whole = begun + text.slice(start, end);
        begun = "";
        start = end + 1;
        take(whole);
      }
      begun += text.slice(start);
    },
    end() {
      take(begun);
      if (events.length === 0) throw invalidRequest("", "must hold at least one event");
      return events;
    },
  };
}

const EVENTS = within(BODY, "events");

function listedSources(text: string, value: Record<string, unknown>): EventSource[] {
  const sources =
    onlyListSources(text, "events", value.events, EVENTS) ?? carefulSources(text, value);
  if (sources.length === 0) throw invalidRequest("/events", "must hold at least one event");
  return sources;
}

/** Returns the events of an object that may have other members, or the same member twice. */
function carefulSources(text: string, value: Record<string, unknown>): EventSource[] {
  const root = sourceAt(text, 0, value, BODY);
  const fields = invalidFields();
  const members = envelopeMembers(root, fields) ?? [];
  for (const { name } of members) {
    if (name !== "events") fields.add(within(BODY, name), "is not a known field");
  }
  fields.assertNone();
  return arraySources(text, members[0]?.start ?? 0, value.events, EVENTS);
}

const readNativeEvent = (source: EventSource, fields: InvalidFields): DecodedEvent | undefined =>
  readPlainEvent(source) ?? readAnyEvent(source, fields);

function readAnyEvent(source: EventSource, fields: InvalidFields): DecodedEvent | undefined {
  const members = envelopeMembers(source, fields);
  if (members === undefined || !hasSoundHeaders(source, fields)) return undefined;
  const parsed = NewEvent.safeParse(source.value, { error: wording });
  if (!parsed.success) {
    for (const { path, detail } of fieldsOfIssues(parsed.error.issues)) {
      fields.add(within(source.place, ...path), detail);
    }
    return undefined;
  }
  const { data: _, expectedSequence: expected, ...attributes } = parsed.data;
  const expectedSequence = expected === null ? 0 : expected;
  const data = members.find(({ name }) => name === "data");
  return data && { attributes, data: memberData(source, data), expectedSequence };
}

/**
 * Checks that each header occurs once and that none is called `__proto__`, which zod would drop
 * silently.
 */
function hasSoundHeaders(source: EventSource, fields: InvalidFields): boolean {
  const { text, place, value } = source;
  const start = source.members.find(({ name }) => name === "headers")?.start;
  const headers = isObject(value) ? value.headers : undefined;
  if (start === undefined || !isObject(headers)) return true;
  const inner = within(place, "headers");
  const found = envelopeMembers(sourceAt(text, start, headers, inner), fields);
  if (!found?.some(({ name }) => name === "__proto__")) return found !== undefined;
  fields.add(within(inner, "__proto__"), "is not a legal header name");
  return false;
}
