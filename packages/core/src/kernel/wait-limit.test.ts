import { expect, it } from "vitest";
import { createWaitLimit } from "./wait-limit.ts";

it("a wait is cut to the operator's setting, and to half of a lease", () => {
  const { grantedMs, advisedSeconds } = createWaitLimit(7);
  expect([grantedMs(5), grantedMs(20)]).toEqual([5_000, 7_000]);
  expect(grantedMs(20, { leaseMs: 10_000 })).toBe(5_000);
  expect([advisedSeconds(), advisedSeconds(10_000)]).toEqual([7, 5]);
});

it("a connection that stays open anyway waits whatever the setting says", () => {
  const { grantedMs, advisedSeconds } = createWaitLimit(0);
  expect([grantedMs(20), advisedSeconds()]).toEqual([0, 0]);
  expect(grantedMs(15, { held: true })).toBe(15_000);
  expect(grantedMs(15, { held: true, leaseMs: 10_000 })).toBe(5_000);
});
