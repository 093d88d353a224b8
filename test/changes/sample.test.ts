import { expect, it } from "vitest";
import { sampleOf } from "./sample.ts";

const AUTH = "packages/functions/src/http/auth.ts";
const ALL = { seed: "1", sample: undefined, each: undefined, guarding: undefined };
const numbers = [...Array(40).keys()];
const fileOf = (number: number) => (number < 10 ? AUTH : number < 30 ? "a.ts" : "b.ts");
const from = (chosen: readonly number[], file: string) =>
  chosen.filter((number) => fileOf(number) === file).length;

it("contains all changes of the guarding files, and some of each other file", () => {
  const chosen = sampleOf(numbers, fileOf, { ...ALL, each: 3 });
  expect([from(chosen, AUTH), from(chosen, "a.ts"), from(chosen, "b.ts")]).toEqual([10, 3, 3]);
  expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
});

it("chooses by its seed", () => {
  const ofSeed = (seed: string) => sampleOf(numbers, fileOf, { ...ALL, seed, sample: 6 }).join();
  expect(ofSeed("1")).toBe(ofSeed("1"));
  expect(ofSeed("1")).not.toBe(ofSeed("2"));
  expect(sampleOf(numbers, fileOf, ALL)).toBe(numbers);
});

it("contains a smaller sample of the same kind", () => {
  const [small, large] = [1, 3].map((each) =>
    sampleOf(numbers, fileOf, { ...ALL, each, guarding: 2 * each }),
  );
  expect(small).toHaveLength(4);
  expect(large).toHaveLength(12);
  expect(large).toEqual(expect.arrayContaining([...(small ?? [])]));
});
