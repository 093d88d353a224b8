import { expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { createMemory } from "./memory.ts";

let nowMs = 0;
const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
const create = (entriesMax?: number) =>
  createMemory<string>(clock, { ttlMs: 100, ...(entriesMax === undefined ? {} : { entriesMax }) });

it("a value is trusted for its time, counted from the start of the read", () => {
  const memory = create();
  const look = memory.look();
  nowMs += 60;
  memory.learn("a", look, "one");
  nowMs += 39;
  expect(memory.recall("a")).toBe("one");
  nowMs += 1;
  expect(memory.recall("a")).toBeUndefined();
  expect(memory.recall("a", 101)).toBe("one");
  expect(memory.latest("a")).toBe("one");
});

it("a memory keeps the result of the later read, whichever arrives first", () => {
  const memory = create();
  const [slow, fast] = [memory.look(), memory.look()];
  memory.learn("a", fast, "new");
  memory.learn("a", slow, "old");
  expect(memory.recall("a")).toBe("new");
});

it("a memory ignores a read that began before a change of this process", () => {
  const memory = create();
  const look = memory.look();
  memory.change("a");
  memory.learn("a", look, "old");
  expect(memory.recall("a")).toBeUndefined();
  memory.learn("a", memory.look(), "new");
  expect(memory.recall("a")).toBe("new");
});

it("a memory keeps the result of a change, unless another change came in between", () => {
  const memory = create();
  const [slow, fast] = [memory.look(), memory.look()];
  const read = memory.look();
  memory.change("a", { of: fast, value: "second" });
  expect(memory.recall("a")).toBe("second");
  memory.learn("a", read, "from before");
  expect(memory.recall("a")).toBe("second");
  memory.change("a", { of: slow, value: "first" });
  expect(memory.recall("a")).toBeUndefined();
});

it("a memory holds a bounded number of values, and ignores reads from before a dropped one", () => {
  const memory = create(2);
  const early = memory.look();
  for (const name of ["a", "b", "c"]) memory.learn(name, memory.look(), name);
  expect(["a", "b", "c"].map(memory.recall)).toEqual([undefined, "b", "c"]);
  memory.learn("a", early, "old");
  expect(memory.recall("a")).toBeUndefined();
});
