import { expect, it } from "vitest";
import { sampleOf } from "./sample.ts";

const AUTH = "packages/functions/src/http/auth.ts";
const numbers = [...Array(40).keys()];
const fileOf = (number: number) => (number < 10 ? AUTH : number < 30 ? "a.ts" : "b.ts");
const from = (chosen: readonly number[], file: string) =>
  chosen.filter((number) => fileOf(number) === file).length;

it("contains all changes of the guarding files, and some of each other file", () => {
  const chosen = sampleOf(numbers, fileOf, { seed: "1", sample: undefined, each: 3 });
  expect([from(chosen, AUTH), from(chosen, "a.ts"), from(chosen, "b.ts")]).toEqual([10, 3, 3]);
  expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
});

it("chooses by its seed", () => {
  const ofSeed = (seed: string) =>
    sampleOf(numbers, fileOf, { seed, sample: 6, each: undefined }).join();
  expect(ofSeed("1")).toBe(ofSeed("1"));
  expect(ofSeed("1")).not.toBe(ofSeed("2"));
  expect(sampleOf(numbers, fileOf, { seed: "1", sample: undefined, each: undefined })).toBe(
    numbers,
  );
});
