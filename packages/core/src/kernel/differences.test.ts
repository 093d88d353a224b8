import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differencesOf } from "./differences.ts";

describe("differences", () => {
  it("each difference names its place and the existing value", () => {
    const existing = {
      start: "earliest",
      leaseSeconds: 30,
      filter: { types: ["a"], keyPrefix: "x" },
    };
    const asked = {
      start: { timestamp: "2026-01-01T00:00:00Z" },
      leaseSeconds: 30,
      maxDeliveries: 5,
      filter: { types: ["a", "b"], keyPrefix: "x", headers: { "a/b~c": "1" } },
    };
    expect(differencesOf(existing, asked)).toEqual([
      { pointer: "/start", detail: 'is "earliest" there' },
      { pointer: "/maxDeliveries", detail: "is not set there" },
      { pointer: "/filter/types", detail: 'is ["a"] there' },
      { pointer: "/filter/headers", detail: "is not set there" },
    ]);
    expect(differencesOf({ headers: { "a/b~c": "1" } }, { headers: {} })).toEqual([
      { pointer: "/headers/a~1b~0c", detail: 'is "1" there' },
    ]);
  });

  it("a long value is shortened", () => {
    const [difference] = differencesOf({ text: "x".repeat(5_000) }, {});
    expect(difference?.detail.length).toBeLessThan(250);
  });

  it("there are no differences exactly when nothing differs", () => {
    const value = fc.jsonValue().filter((each) => each !== undefined);
    const object = fc.dictionary(fc.string(), value);
    fc.assert(
      fc.property(object, object, (one, other) => {
        expect(differencesOf(one, structuredClone(one))).toEqual([]);
        const sorted = (of: object) => JSON.stringify(of, deepSorted);
        expect(differencesOf(one, other).length === 0).toBe(sorted(one) === sorted(other));
      }),
      { seed: 20_261_128, numRuns: 500 },
    );
  });

  it("members that every object inherits are not compared", () => {
    const headers = { constructor: "a", valueOf: "b" };
    expect(differencesOf({ headers: {} }, { headers })).toEqual([
      { pointer: "/headers/constructor", detail: "is not set there" },
      { pointer: "/headers/valueOf", detail: "is not set there" },
    ]);
  });
});

/** Sorts the members of objects, so that equal objects print alike. */
const deepSorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
