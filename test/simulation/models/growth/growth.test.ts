import { describe, expect, it } from "vitest";
import { ALL_RULES, type Rules } from "./design.ts";
import { exploreAll, type Scope, Violation } from "./explore.ts";

const GROWS: Scope = {
  partitions: 1,
  wanted: 2,
  publishers: [
    ["a", 2],
    ["b", 1],
  ],
  growers: 1,
  pages: 2,
};
const SHRINKS: Scope = { ...GROWS, partitions: 2, wanted: 1 };
const ONE_EACH: Scope["publishers"] = [
  ["a", 1],
  ["b", 1],
];

const SCOPES = {
  "one partition becomes two": GROWS,
  "two processes bring the change on": { ...GROWS, publishers: ONE_EACH, growers: 2, pages: 1 },
  "two partitions become one": { ...SHRINKS, publishers: ONE_EACH },
};

describe("the design of a change of partitions", () => {
  it.each(Object.entries(SCOPES))("every order of steps keeps the promises: %s", (_, scope) => {
    expect(exploreAll(scope, ALL_RULES)).toBeGreaterThan(5_000);
  });

  it.each([
    ["turnsFirst", SHRINKS, /comes after|again, or a lower|without/],
    ["startsAboveAll", SHRINKS, /again, or a lower/],
    ["turnsAtTheEnd", GROWS, /lost|comes after/],
    ["drainsFirst", GROWS, /comes after/],
    ["lastOnly", GROWS, /caught up without/],
    ["looksAgain", GROWS, /caught up without/],
  ] as [keyof Rules, Scope, RegExp][])("it needs the rule %s", (rule, scope, violation) => {
    const explore = () => exploreAll(scope, { ...ALL_RULES, [rule]: false });
    expect(explore).toThrow(Violation);
    expect(explore).toThrow(violation);
  });
});
