import { expect, it } from "vitest";
import type { Clock } from "../kernel/clock.ts";
import type { ApiKeyRow } from "../table/api-key.entity.ts";
import { createKeyMemory } from "./key-memory.ts";

const MEMORY_MS = 20_000;
const rowOf = (id: string) => ({ id }) as ApiKeyRow;

/** Opens a memory over `rows`, and counts its reads. */
function open(rows: readonly string[]) {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  const reads: string[] = [];
  const found = new Set(rows);
  /** What a read waits for before it answers. */
  let gate: Promise<unknown> = Promise.resolve();
  const memory = createKeyMemory(clock, async (id) => {
    reads.push(id);
    await gate;
    return found.has(id) ? rowOf(id) : undefined;
  });
  return {
    ...memory,
    reads,
    found,
    pass: (ms: number) => (nowMs += ms),
    waitFor: (until: Promise<unknown>) => (gate = until),
  };
}

it("[key.revoked] a key is remembered for 20 seconds from before its read", async () => {
  const { recall, reads, found, pass, waitFor } = open(["a"]);
  const gate = Promise.withResolvers();
  waitFor(gate.promise);
  const first = recall("a");
  pass(5_000);
  gate.resolve(undefined);
  await first;
  found.delete("a");
  pass(MEMORY_MS - 5_001);
  expect(await recall("a")).toEqual(rowOf("a"));
  pass(1);
  expect(await recall("a")).toBeUndefined();
  expect(reads).toEqual(["a", "a"]);
});

it("concurrent requests share one read, and unknown keys are remembered too", async () => {
  const { recall, reads } = open(["a"]);
  await Promise.all([recall("a"), recall("a"), recall("b"), recall("b")]);
  expect(await recall("b")).toBeUndefined();
  expect(reads).toEqual(["a", "b"]);
});

it("[key.revoked] a key that this process changes is read again, known or not", async () => {
  const { recall, forget, reads, found } = open(["a"]);
  await Promise.all([recall("a"), recall("b")]);
  found.delete("a");
  found.add("b");
  forget("a");
  forget("b");
  expect([await recall("a"), await recall("b")]).toEqual([undefined, rowOf("b")]);
  expect(reads).toHaveLength(4);
});

it("a read that was under way when its key changed is not remembered", async () => {
  const { recall, forget, found, waitFor } = open([]);
  const gate = Promise.withResolvers();
  waitFor(gate.promise);
  const slow = recall("a");
  forget("a");
  found.add("a");
  waitFor(Promise.resolve());
  expect(await recall("a")).toEqual(rowOf("a"));
  found.delete("a");
  gate.resolve(undefined);
  expect(await slow).toBeUndefined();
  expect(await recall("a")).toEqual(rowOf("a"));
});

it("a read that fails is not remembered", async () => {
  const { recall, reads, waitFor } = open(["a"]);
  waitFor(Promise.reject(new Error("store")));
  await expect(recall("a")).rejects.toThrow("store");
  waitFor(Promise.resolve());
  expect(await recall("a")).toEqual(rowOf("a"));
  expect(reads).toHaveLength(2);
});

it("invented ids push out no key that exists", async () => {
  const { recall, reads } = open(["a"]);
  await recall("a");
  for (let n = 0; n < 10_001; n++) await recall(`invented-${n}`);
  await recall("a");
  expect(reads.filter((id) => id === "a")).toHaveLength(1);
});
