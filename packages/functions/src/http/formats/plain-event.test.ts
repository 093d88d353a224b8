import { NewEvent } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyJsonText } from "./arbitrary-json.ts";
import { sourceAt } from "./envelope.ts";
import { BODY } from "./invalid-fields.ts";
import { readPlainEvent } from "./plain-event.ts";

const read = (text: string) => readPlainEvent(sourceAt(text, 0, JSON.parse(text), BODY));

const word = fc.string({ unit: "binary", maxLength: 200 });
const odd = fc.constantFrom<unknown>("\ud800", "é".repeat(128), "é".repeat(129), null, 1, {}, []);
const attribute = fc.oneof({ weight: 4, arbitrary: word }, odd);
const member = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom("key", "type", "id"), attribute) },
  fc.tuple(fc.constantFrom("time", "headers", "expectedSequence", "__proto__", "x"), attribute),
);

/** Text of objects, many of them events, with members in any order and some of them twice. */
const eventText = fc
  .record({
    keys: fc.array(fc.tuple(fc.constant("key"), word), { maxLength: 1 }),
    others: fc.array(member, { maxLength: 2 }),
    data: anyJsonText,
    at: fc.nat(3),
    copies: fc.nat(4),
  })
  .map(({ keys, others, data, at, copies }) => {
    const printed = [...others, ...keys].map(
      ([name, value]) => `"${name}":${JSON.stringify(value)}`,
    );
    if (copies > 0) printed.splice(at, 0, `"data":${data}`);
    if (copies > 3) printed.push(`"d\\u0061ta":${data}`);
    return `{${printed.join(",")}}`;
  });

/** The names of the members in a text, without the parser that keeps one of two. */
const isRepeated = (text: string) => {
  const names = sourceAt(text, 0, JSON.parse(text), BODY).members.map(({ name }) => name);
  return new Set(names).size < names.length;
};

describe("a plain event", () => {
  it("the short way accepts only what the schema accepts, with the same attributes", async () => {
    let plain = 0;
    await fc.assert(
      fc.property(eventText, (text) => {
        const event = read(text);
        if (event === undefined) return;
        plain += 1;
        const { data: _, ...attributes } = NewEvent.parse(JSON.parse(text));
        expect(event.attributes).toEqual(attributes);
        expect(isRepeated(text)).toBe(false);
        expect(JSON.parse(event.data())).toEqual(JSON.parse(text).data);
      }),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  it.each([
    ['{"key":"k","data":null}', { key: "k" }, "null"],
    ['{"data":[ 1 ],"type":"t","key":"k"}', { key: "k", type: "t" }, "[ 1 ]"],
    ['{"id":"1","type":"t","k\\u0065y":"k","data":1.0}', { key: "k", type: "t", id: "1" }, "1.0"],
  ])("%s takes the short way", (text, attributes, data) => {
    const event = read(text);
    expect(event?.attributes).toEqual(attributes);
    expect(event?.data()).toBe(data);
  });
});
