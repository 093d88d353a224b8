import { LIMITS } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyJsonText, space } from "./arbitrary-json.ts";
import { decodeAnyNative } from "./native-events.ts";
import { readPlainList } from "./plain-body.ts";

const word = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }) },
  fc.constantFrom("", "\ud800", "é".repeat(128), "é".repeat(300), '"', "\\", "\u0000"),
);

/** The text of an event, often a plain one, with its members in any order. */
const eventText = fc
  .record({
    members: fc.array(
      fc.oneof(
        { weight: 12, arbitrary: fc.tuple(fc.constantFrom("type", "id"), word) },
        fc.tuple(fc.constantFrom("key", "time", "headers", "x"), word),
      ),
      { maxLength: 2 },
    ),
    key: word,
    data: anyJsonText,
    at: fc.nat(2),
    space,
  })
  .map(({ members, key, data, at, space: s }) => {
    const printed = [["key", key], ...members].map(
      ([name, value]) => `"${name}"${s}:${s}${JSON.stringify(value)}`,
    );
    printed.splice(at, 0, `"data":${s}${data}`);
    return `{${s}${printed.join(`${s},`)}${s}}`;
  });

const bodyText = fc
  .tuple(fc.array(eventText, { maxLength: 3 }), space)
  .map(([events, s]) => `${s}{${s}"events"${s}:${s}[${events.join(`${s},${s}`)}${s}]${s}}${s}`);

/** A text with one small change at any place. Most of these are no JSON. */
const changedText = fc
  .record({
    text: bodyText,
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    removed: fc.nat(2),
    added: fc.constantFrom(
      ...["", ",", ":", '"', "{", "}", "[", "]", "\\", "0", "-", ".", "e", "1", "null", "\u0001"],
      ...["\\x", "\\u12", "\\ud800", "é", "\ud800", " ", "\u00a0", "tru", "true", "/", "\n"],
    ),
  })
  .map(({ text, at, removed, added }) => {
    const place = Math.floor(at * (text.length + 1));
    return text.slice(0, place) + added + text.slice(place + removed);
  });

describe("a plain body", () => {
  it("the short way accepts only what the parser and the schema accept, with the same events", async () => {
    let plain = 0;
    let other = 0;
    await fc.assert(
      fc.property(fc.oneof(bodyText, changedText), (text) => {
        const events = readPlainList(text);
        if (events === undefined) {
          other += 1;
          return;
        }
        plain += 1;
        expect(events).toEqual(decodeAnyNative(text));
      }),
      { numRuns: 5_000 },
    );
    expect(plain).toBeGreaterThan(500);
    expect(other).toBeGreaterThan(500);
  });

  it.each([
    ['{"events":[{"key":"k","data":null}]}', [{ attributes: { key: "k" }, data: "null" }]],
    [
      ' { "events" : [ {"data":[ 1.0e+2, {"a":"\\ud83d\\ude00"} ],"type":"t","key":"é"}, {"id":"7","key":"k","data":{}} ] }\n',
      [
        {
          attributes: { key: "é", type: "t" },
          data: '[ 1.0e+2, {"a":"\\ud83d\\ude00"} ]',
        },
        { attributes: { key: "k", id: "7" }, data: "{}" },
      ],
    ],
  ])("%s takes the short way", (text, events) => {
    expect(readPlainList(text)).toEqual(events);
  });

  it("a value at the caps takes the short way, and one over them does not", () => {
    const list = (data: string, count = 1) =>
      `{"events":[${Array.from({ length: count }, () => `{"key":"k","data":${data}}`).join()}]}`;
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(readPlainList(list(nested(LIMITS.dataDepthMax)))).toHaveLength(1);
    expect(readPlainList(list(nested(LIMITS.dataDepthMax + 1)))).toBeUndefined();
    expect(readPlainList(list("1", LIMITS.requestEventsMax))).toHaveLength(1_000);
    expect(readPlainList(list("1", LIMITS.requestEventsMax + 1))).toBeUndefined();
    expect(readPlainList(list(`"${"x".repeat(LIMITS.eventBytesMax)}"`))).toBeUndefined();
    expect(readPlainList(list('"\\ud800"'))).toBeUndefined();
  });
});
