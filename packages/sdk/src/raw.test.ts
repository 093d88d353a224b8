import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { membersOf, rawData, rawJson } from "./raw.ts";

describe("raw data", () => {
  it("data keeps its text, byte for byte", () => {
    const data = '{ "n":9007199254740993, "a":1, "a":[ "}\\"]" ] , "e":1e400 }';
    const answer = `{"events":[{"key":"a","headers":{"data":"x"},"data":${data}},{"data":null}],"cursor":"c"}`;
    expect(rawData(answer)).toMatchObject({
      events: [{ key: "a", data: rawJson(data) }, { data: null }],
      cursor: "c",
    });
    expect(rawData(`{"sequence":1,"data": -0 }`)).toMatchObject({ data: rawJson("-0") });
    expect(rawData('{"items":[],"cursor":null}')).toEqual({ items: [], cursor: null });
  });

  it("the members of any object are found, with any white space", () => {
    void fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, "\t", "\n"),
        (object, space) => {
          const members = membersOf(JSON.stringify(object, undefined, space));
          const found = members.map(({ name, text }) => [name, JSON.parse(text)]);
          expect(found).toEqual(Object.entries(JSON.parse(JSON.stringify(object))));
        },
      ),
    );
  });
});
