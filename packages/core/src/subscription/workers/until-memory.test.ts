import { expect, it } from "vitest";
import type { Clock } from "../../kernel/clock.ts";
import { createUntilMemory } from "./until-memory.ts";

const LEASE_MS = 30_000;
const HOLDERS = { uid: "s", leaseMs: LEASE_MS };

function open() {
  let nowMs = 1_000_000;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  return { memory: createUntilMemory(clock), start: nowMs, pass: (ms: number) => (nowMs += ms) };
}

const leased = (until: number) => ({ partition: 0, lease: { token: 1, owner: "w", until } });

it("a memory learns no lease from a look that began before what it knows", () => {
  const { memory, start, pass } = open();
  const ended = leased(start - 1);
  memory.seeLeases(HOLDERS, memory.look(), [ended]);
  const slow = memory.look();
  pass(1_000);
  const renewed = leased(start + LEASE_MS);
  memory.seeLeases(HOLDERS, memory.look(), [renewed]);
  pass(500);
  memory.seeLeases(HOLDERS, slow, [ended]);
  // A lease from before the look does not count as written just now by a late clock.
  expect(memory.ofLease(HOLDERS, ended).lease?.until).toBe(start - 1);
  // A renewed lease does not count as a different one.
  expect(memory.ofLease(HOLDERS, renewed).lease?.until).toBe(start + LEASE_MS);
});

it("a memory learns no worker from such a look, and returns the row's value", () => {
  const { memory, start, pass } = open();
  const at = (until: number) => ({ consumer: "w", until });
  memory.ofMember(HOLDERS, memory.look(), at(start - 1));
  const slow = memory.look();
  pass(1_000);
  memory.ofMember(HOLDERS, memory.look(), at(start + LEASE_MS));
  pass(500);
  expect(memory.ofMember(HOLDERS, slow, at(start - 1))).toBe(start - 1);
  expect(memory.ofMember(HOLDERS, memory.look(), at(start + LEASE_MS))).toBe(start + LEASE_MS);
});

it("a clock that is an hour ahead is trusted for one lease from the first look", () => {
  const { memory, start, pass } = open();
  const ahead = leased(start + 3_600_000);
  memory.seeLeases(HOLDERS, memory.look(), [ahead]);
  expect(memory.ofLease(HOLDERS, ahead).lease?.until).toBe(start + LEASE_MS);
  expect(memory.ended("s", 0)).toBeUndefined();
  pass(1_000);
  expect(memory.ofLease(HOLDERS, ahead).lease?.until).toBe(start + LEASE_MS);
  pass(LEASE_MS - 1_000);
  memory.seeLeases(HOLDERS, memory.look(), [ahead]);
  expect(memory.ended("s", 0)).toBe(start + 3_600_000);
});

it("says of a lease that has expired by its own time, and of an unknown one, that none ended", () => {
  const { memory, start, pass } = open();
  memory.seeLeases(HOLDERS, memory.look(), [leased(start + 1_000)]);
  pass(1_000);
  expect(memory.ended("s", 0)).toBeUndefined();
  expect(memory.ended("s", 1)).toBeUndefined();
});

it("leaves a row without a lease as it is", () => {
  const { memory } = open();
  const free = { partition: 1 };
  memory.seeLeases(HOLDERS, memory.look(), [free]);
  expect(memory.ofLease(HOLDERS, free)).toBe(free);
});
