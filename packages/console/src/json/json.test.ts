import { describe, expect, it } from "vitest";
import { diff } from "./diff.ts";
import { linesOf, printLine } from "./lines.ts";
import { quoteData } from "./quote-data.ts";

const ODD = '{"big":9007199254740993,"a":1e400,"a":-0,"t":"\\" ] } \\\\","n":[ ],"o":[{"x":1.10}]}';

describe("quoteData", () => {
  it("quoteData turns the data of each event into the text that was published", () => {
    const page = `{"events":[{"key":"data","data":${ODD},"sequence":1}, {"data":null}],"cursor":"c"}`;
    const { events } = JSON.parse(quoteData(page));
    expect(events).toEqual([{ key: "data", data: ODD, sequence: 1 }, { data: null }]);
  });

  it("quoteData knows lists of states and a single state", () => {
    expect(JSON.parse(quoteData('{"items":[{"data":[1,{"data":2}]}]}'))).toEqual({
      items: [{ data: '[1,{"data":2}]' }],
    });
    expect(JSON.parse(quoteData('{"key":"k","data":"text"}'))).toEqual({
      key: "k",
      data: '"text"',
    });
  });

  it("quoteData leaves every other answer as it is", () => {
    for (const answer of ["", "[]", '"data"', '{"name":"data","streams":[{"data":1}]}'])
      expect(quoteData(answer)).toBe(answer);
  });
});

describe("linesOf", () => {
  it("linesOf keeps every name and value as it was sent", () => {
    expect(linesOf(ODD).map(printLine)).toEqual([
      "{",
      '  "big": 9007199254740993,',
      '  "a": 1e400,',
      '  "a": -0,',
      '  "t": "\\" ] } \\\\",',
      '  "n": [],',
      '  "o": [',
      "    {",
      '      "x": 1.10',
      "    }",
      "  ]",
      "}",
    ]);
  });

  it("linesOf says which line closes another, and how many members are between", () => {
    const [open] = linesOf('{"a":[1,2],"b":3}');
    expect(open).toMatchObject({ size: 2, closedBy: 6 });
  });
});

describe("diff", () => {
  const rows = (left: string, right: string) =>
    diff(left.split(""), right.split("")).map(({ left: l = "·", right: r = "·", same }) =>
      same ? `${l}=${r}` : `${l}/${r}`,
    );
  it.each([
    ["abc", "abc", "a=a b=b c=c"],
    ["abc", "axc", "a=a b/x c=c"],
    ["abc", "ac", "a=a b/· c=c"],
    ["ac", "abc", "a=a ·/b c=c"],
    ["abcd", "bxd", "a/· b=b c/x d=d"],
  ])("diff pairs the lines of %s and %s", (left, right, expected) => {
    expect(rows(left, right).join(" ")).toBe(expected);
  });

  it("a comma that only says that something follows is no difference", () => {
    expect(diff(["{", "a", "}"], ["{", "a,", "b", "}"])).toEqual([
      { left: "{", right: "{", same: true },
      { left: "a", right: "a,", same: true },
      { left: undefined, right: "b", same: false },
      { left: "}", right: "}", same: true },
    ]);
    expect(diff(["x", "a"], ["a,", "y"]).filter(({ same }) => same)).toHaveLength(1);
  });

  it("diff shows long texts without a search for equal lines", () => {
    const left = Array.from({ length: 3_000 }, (_, n) => `l${n}`);
    const right = Array.from({ length: 3_000 }, (_, n) => `r${n}`);
    expect(diff(left, right)).toHaveLength(3_000);
  });
});
