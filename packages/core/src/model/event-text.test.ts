import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RawJson, StoredEvent } from "./event.ts";
import { parseEvent, printEvent } from "./event-text.ts";

const text = fc.string({ unit: "binary" }).filter((each) => each.isWellFormed());

const event: fc.Arbitrary<StoredEvent> = fc.record(
  {
    sequence: fc.nat(),
    publishedAt: fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) }),
    id: text,
    key: text,
    type: text,
    time: text,
    headers: fc.dictionary(fc.oneof(fc.constantFrom("data", "1", '","data":'), text), text),
    data: fc.json().map((json) => json as RawJson),
  },
  { requiredKeys: ["sequence", "publishedAt", "id", "key", "data"] },
);

describe("[archive.segments] the text of an event", () => {
  it("gives the event again", () =>
    fc.assert(
      fc.property(event, (printed) => {
        const line = printEvent(printed);
        expect(parseEvent(line)).toEqual(printed);
        expect(printEvent(parseEvent(line))).toBe(line);
      }),
    ));

  it("has its data as it was published", () => {
    const data = '{"a":1e400,"a":"\\u0000"}' as RawJson;
    const line = printEvent({
      sequence: 1,
      publishedAt: 0,
      id: "i",
      key: '"}{,"data":',
      headers: { a: "{", data: '}","data":1' },
      data,
    });
    expect(parseEvent(line).data).toBe(data);
  });

  it.each(["", "{}", '{"sequence":1}', '{"a":"', '"data"'])("is not %s", (line) => {
    expect(() => parseEvent(line)).toThrow(SyntaxError);
  });
});
