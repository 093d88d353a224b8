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
} from "./envelope.ts";
import {
  fieldsOfIssues,
  type InvalidFields,
  invalidFields,
  within,
  wording,
} from "./invalid-fields.ts";
import { type Member, parseJson } from "./raw-json.ts";

/** Returns the events of an `application/json` body: one event, or `{"events": [...]}`. */
export function decodeNative(text: string): IncomingEvent[] {
  const root = { text, start: 0, value: parseJson(text), place: { pointer: "" } };
  if (!isObject(root.value)) {
    throw invalidRequest("", 'must be an object: one event, or {"events": [...]}');
  }
  const sources = Object.hasOwn(root.value, "events") ? listedSources(root) : [root];
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
    const place = { pointer: `/${events.length}`, line };
    const source = { text, start: 0, value: parseJson(text, `Line ${line}`), place };
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

function listedSources(root: EventSource): EventSource[] {
  const fields = invalidFields();
  const members = envelopeMembers(root, fields) ?? [];
  for (const { name } of members) {
    if (name !== "events") fields.add(within(root.place, name), "is not a known field");
  }
  fields.assertNone();
  const at = members[0]?.start ?? 0;
  const listed = isObject(root.value) ? root.value.events : undefined;
  const sources = arraySources(root.text, at, listed, within(root.place, "events"));
  if (sources.length === 0) throw invalidRequest("/events", "must hold at least one event");
  return sources;
}

function readNativeEvent(source: EventSource, fields: InvalidFields): DecodedEvent | undefined {
  const members = envelopeMembers(source, fields);
  if (members === undefined || !hasSoundHeaders(source, members, fields)) return undefined;
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
function hasSoundHeaders(source: EventSource, members: Member[], fields: InvalidFields): boolean {
  const { text, place, value } = source;
  const start = members.find(({ name }) => name === "headers")?.start;
  const headers = isObject(value) ? value.headers : undefined;
  if (start === undefined || !isObject(headers)) return true;
  const found = envelopeMembers(
    { text, start, value: headers, place: within(place, "headers") },
    fields,
  );
  if (!found?.some(({ name }) => name === "__proto__")) return found !== undefined;
  fields.add(within(place, "headers", "__proto__"), "is not a legal header name");
  return false;
}
