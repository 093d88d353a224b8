import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseAst } from "vitest/node";
import { edge } from "./edge.ts";
import { findChanges } from "./find-changes.ts";
import { sourcesOf } from "./sources.ts";

const namesIn = (source: string) => findChanges("a.ts", source).changes.map(({ name }) => name);

it("a condition is changed clause by clause, and as a whole", () => {
  expect(namesIn("if (a && b === c) throw d;")).toEqual([
    "never: a && b === c",
    "without: a",
    "without: b === c",
  ]);
  expect(namesIn("const f = (a: number) => a < 1 || !g(a);")).toEqual([
    "always: a < 1 || !g(a)",
    "without: a < 1",
    "edge: a < 1",
    "without: !g(a)",
  ]);
  expect(namesIn("for (let i = 0; i < n; i++) f(i);")).toEqual([
    "never: i < n",
    "edge: i < n",
    "drop: f(i);",
  ]);
});

it("statements, defaults, extremes, quantifiers and the ends of patterns are changed", () => {
  expect(namesIn("await f();")).toEqual(["drop: await f();"]);
  expect(namesIn("const a = b?.c ?? d;")).toEqual(["none: b?.c"]);
  expect(namesIn("const a = Math.max(b, c);")).toEqual(["swap: Math.max(b, c)"]);
  expect(namesIn("const a = b.every(f);")).toEqual(["swap: b.every(f)"]);
  expect(namesIn("const a = b.toString();")).toEqual([]);
  expect(namesIn("const a = /^b$/;")).toEqual(["open beginning: /^b$/", "open end: /^b$/"]);
});

it("the conditions of writes are changed, and types are not", () => {
  expect(namesIn("const w = [eq(row.a, b), lt(row.c, d)];")).toEqual([
    "without condition: eq(row.a, b)",
    "without condition: lt(row.c, d)",
  ]);
  expect(namesIn("type A<B> = B extends true ? 1 : 2; const a = b as A<true>;")).toEqual([]);
});

it("equal changes of a file have different names", () => {
  expect(namesIn("f(); f();")).toEqual(["drop: f();", "drop: f(); (2)"]);
});

/** Returns the result of a function's body with one change active, or with none. */
function play(body: string, active = -1): unknown {
  const { code } = findChanges("a.ts", `const f = () => { ${body} };`);
  return new Function("__changed", "__edge", `${code} return f();`)(
    (number: number) => number === active,
    edge,
  );
}

it.each([
  ["const a = 1; return a < 1;", false, ["always: a < 1", "edge: a < 1"]],
  ["if (true && 2 > 1) return 'in'; return 'out';", "in", ["never: true && 2 > 1"]],
  [
    "return [1, 2].every((x) => x !== 2);",
    false,
    ["swap: [1, 2].every((x) => x !== 2)", "always: x !== 2"],
  ],
  [
    "let a = 0; a = Math.min(3, 4); return a;",
    3,
    ["drop: a = Math.min(3, 4);", "swap: Math.min(3, 4)"],
  ],
  ["return /^b$/.test('ab');", false, ["open beginning: /^b$/"]],
  ["let a = 0; if (2 > 1) a = 1; else a = 2; return a;", 1, ["never: 2 > 1", "drop: a = 1;"]],
  ["const a = { b: 1 }; return a?.b ?? 2;", 1, ["none: a?.b"]],
])(
  "means the same while no change is active, and something else with one active: %s",
  (body, result, others) => {
    expect(play(body)).toBe(result);
    const { changes } = findChanges("a.ts", `const f = () => { ${body} };`);
    const differing = changes.filter((_, number) => play(body, number) !== result);
    expect(differing.map(({ name }) => name)).toEqual(others);
  },
);

it("every source file of core and the functions can be changed", () => {
  for (const file of sourcesOf([])) {
    const { changes, code } = findChanges(file, readFileSync(file, "utf8"));
    expect(new Set(changes.map(({ name }) => name)).size, file).toBe(changes.length);
    expect(code.match(/__changed\(/g)?.length ?? 0, file).toBe(changes.length);
    expect(() => parseAst(code, { lang: "ts" }, file)).not.toThrow();
  }
});
