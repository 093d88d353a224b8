import { expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { createMemory } from "./memory.ts";

let nowMs = 0;
const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
const create = (entriesMax?: number) =>
  createMemory<string>(clock, { ttlMs: 100, ...(entriesMax === undefined ? {} : { entriesMax }) });

it("is believed for its time, from when the look began", () => {
  const memory = create();
  const look = memory.look();
  nowMs += 60;
  memory.learn("a", look, "one");
  nowMs += 39;
  expect(memory.recall("a")).toBe("one");
  nowMs += 1;
  expect(memory.recall("a")).toBeUndefined();
  expect(memory.knows("a")).toBe(true);
});

it("keeps what a later look found, whichever arrives first", () => {
  const memory = create();
  const [slow, fast] = [memory.look(), memory.look()];
  memory.learn("a", fast, "new");
  memory.learn("a", slow, "old");
  expect(memory.recall("a")).toBe("new");
});

it("believes no look that began before a change of this process", () => {
  const memory = create();
  const look = memory.look();
  memory.change("a");
  memory.learn("a", look, "old");
  expect(memory.recall("a")).toBeUndefined();
  memory.learn("a", memory.look(), "new");
  expect(memory.recall("a")).toBe("new");
});

it("remembers what a change left, unless another came in between", () => {
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

it("remembers so many, and believes no look from before what it has forgotten", () => {
  const memory = create(2);
  const early = memory.look();
  for (const name of ["a", "b", "c"]) memory.learn(name, memory.look(), name);
  expect(["a", "b", "c"].map(memory.recall)).toEqual([undefined, "b", "c"]);
  memory.learn("a", early, "old");
  expect(memory.recall("a")).toBeUndefined();
});
