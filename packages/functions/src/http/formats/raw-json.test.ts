import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyJsonText, problemOf, space } from "./arbitrary-json.ts";
import { BODY } from "./invalid-fields.ts";
import {
  cutElements,
  cutMembers,
  cutOnlyList,
  cutValue,
  decodeUtf8,
  parseJson,
  rawData,
} from "./raw-json.ts";

const root = () => BODY;
const MAX = { elements: 1_000, members: 64 };
const keep = (text: string) => {
  parseJson(text);
  return rawData(text, cutValue(text), root);
};

describe("keeping data", () => {
  it.each([
    "9007199254740993",
    "123456789012345678901234567890.000",
    "1e400",
    "-0",
    "1.10",
    "1E+2",
    '{"b":1,"a":2,"b":3}',
    '{"2":1,"1":2}',
    '{"__proto__":{"x":1},"constructor":2,"toString":3,"hasOwnProperty":4}',
    '"\\u0000\\u001f\\/\\"\\\\"',
    '"\u2028\u2029\u007f"',
    '"\\ud83d\\ude00"',
    '"\\\\ud800"',
    '"\\\\\\\\"',
    `"${"x".repeat(62)}\\""`,
    `"${"x".repeat(63)}\\""`,
    `"${"x".repeat(64)}\\""`,
    `"${"\\\\".repeat(40)}\\""`,
    '{ "a" :\t[ 1 , { } , [ ] ],\r\n"" : null }',
    '"😀"',
    "true",
    "null",
    '""',
  ])("returns %s as it was sent", (text) => {
    expect(keep(text)).toBe(text);
    expect(keep(` \t\r\n${text}\n`)).toBe(text);
  });

  it("any JSON is returned as it was sent, whatever surrounds it", () => {
    return fc.assert(
      fc.property(anyJsonText, space, space, (text, before, after) => {
        expect(keep(before + text + after)).toBe(text);
      }),
    );
  });

  it.each([
    ['"\\ud800"', "(\\ud800) at character 1 "],
    ['"\\uDFFF"', "(\\uDFFF) at character 1 "],
    ['{"\\udc00":1}', "(\\udc00) at character 2 "],
    ['"ab\\ud800\\u0041"', "at character 3 "],
    ['"\\ude00\\ud83d"', "at character 1 "],
    ['"\\ude00\\ude00"', "at character 1 "],
    ['"\\ud83d\\\\ude00"', "at character 1 "],
    ['"\\ud83d\\ude00\\ud83d"', "at character 13 "],
    ['"\\\\\\ud800"', "at character 3 "],
    ['"\ud800"', "(unescaped) at character 1 "],
    ['"\\ud83d\ude00"', "(unescaped) at character 7 "],
  ])("refuses the lone surrogate of %j", (text, found) => {
    const problem = problemOf(() => keep(text));
    expect(problem.code).toBe("unsupported-data");
    expect(problem.detail).toContain(found);
  });

  it("nesting is limited by the number of brackets that are open at once", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(keep(`[${nested(63)},{},[]]`)).toHaveLength(63 * 2 + 8);
    const problem = problemOf(() => keep(nested(65)));
    expect(problem).toMatchObject({
      code: "unsupported-data",
      detail: "The body is nested 65 levels deep; the limit is 64.",
      facts: { dataDepthMax: 64 },
    });
  });
});

describe("cutting", () => {
  it("each member of an object is found with its text", () => {
    return fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), anyJsonText)),
        space,
        space,
        (members, before, after) => {
          const printed = members.map(
            ([name, value]) => `${before}${JSON.stringify(name)}${after}:${before}${value}${after}`,
          );
          const text = `${before}{${before}${printed.join(",")}}${after}`;
          const cut = cutMembers(text, 0, members.length);
          expect(cut.map((m) => [m.name, text.slice(m.start, m.end)])).toEqual(members);
        },
      ),
    );
  });

  it("each element of an array is found with its text", () => {
    return fc.assert(
      fc.property(fc.array(anyJsonText), space, (values, around) => {
        const text = `${around}[${around}${values.map((v) => v + around).join(`,${around}`)}]`;
        const cut = cutElements(text, 0, MAX);
        expect(cut.map((e) => text.slice(e.start, e.end))).toEqual(values);
        expect(cut.map(({ members }) => members)).toEqual(
          values.map((v, i) => (v.startsWith("{") ? cutMembers(text, cut[i]?.start ?? 0, 64) : [])),
        );
      }),
    );
  });

  it("the only list of an object is cut as the list is by itself", () => {
    return fc.assert(
      fc.property(fc.array(anyJsonText), space, (values, around) => {
        const list = `[${around}${values.join(`,${around}`)}${around}]`;
        const before = `${around}{${around}"events"${around}:${around}`;
        const text = `${before}${list}${around}}${around}`;
        expect(cutOnlyList(text, "events", MAX)).toEqual(cutElements(text, before.length, MAX));
      }),
    );
  });

  it.each([
    '{"events":[1],"key":2}',
    '{"events":[1],"events":[2]}',
    '{"key":2,"events":[1]}',
    '{"ev\\u0065nts":[1]}',
    '{"events":{"a":[1]}}',
    '{"eventsOf":[1]}',
    '{"events":"[1]"}',
    `{"events":[${Array(1001).fill(1).join()}]}`,
    "{}",
  ])("%j has no only list of events", (text) => {
    expect(cutOnlyList(text, "events", MAX)).toBeUndefined();
  });

  it("cutting stops after one element more than is wanted", () => {
    expect(cutElements(`[${Array(5000).fill(1).join()}]`, 0, MAX)).toHaveLength(1001);
  });

  it("escaped names are decoded, and a repeated member is recognised", () => {
    const cut = cutMembers('{"key":1,"k\\u0065y":2,"__proto__":3}', 0, 9);
    expect(cut.map(({ name }) => name)).toEqual(["key", "key", "__proto__"]);
  });

  it("cutting stops after one member more than is wanted", () => {
    const text = `{${Array.from({ length: 1000 }, (_, i) => `"${i}":0`).join(",")}}`;
    expect(cutMembers(text, 0, 64)).toHaveLength(65);
  });
});

describe("decoding", () => {
  it.each([
    ["a cut sequence", [0x22, 0xc3, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a code point beyond the last", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x22, 0x00]],
  ])("refuses %s", (_, bytes) => {
    const problem = problemOf(() => decodeUtf8(Uint8Array.from(bytes)));
    expect(problem).toMatchObject({
      code: "malformed-json",
      detail: "The body is not valid UTF-8.",
    });
  });

  it("a byte order mark is refused at the start and kept inside", () => {
    expect(problemOf(() => decodeUtf8(Buffer.from("\ufeff1"))).detail).toContain("byte order mark");
    expect(decodeUtf8(Buffer.from('"\ufeff"'))).toBe('"\ufeff"');
  });

  it.each([
    "",
    " \n",
    "{",
    "[1,]",
    "01",
    "1.",
    "NaN",
    "'a'",
    '"\u0000"',
    '"\n"',
    "[1]]",
    "\u00a01",
  ])("%j is refused as JSON", (text) => {
    expect(problemOf(() => parseJson(text)).code).toBe("malformed-json");
  });
});
