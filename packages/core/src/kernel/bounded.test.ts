import { expect, it } from "vitest";
import { createBounded } from "./bounded.ts";

it("a bounded map drops the oldest name when there is one too many, and reports its value", () => {
  const gone: number[] = [];
  const bounded = createBounded<number>(2, (value) => gone.push(value));
  bounded.set("a", 1);
  bounded.set("b", 2);
  bounded.set("a", 3);
  expect(gone).toEqual([]);
  bounded.set("c", 4);
  expect([bounded.names(), gone]).toEqual([["a", "c"], [2]]);
  bounded.delete("a");
  bounded.set("d", 5);
  expect([bounded.get("a"), bounded.get("c"), bounded.names()]).toEqual([undefined, 4, ["c", "d"]]);
});
