import { expect, it } from "vitest";
import type { Clock } from "../../kernel/clock.ts";
import { createPace } from "./pace.ts";

const IDLE = { idle: true, caughtUp: true };

function paceAt() {
  let nowMs = 1_800_000_000_000;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  return {
    pace: createPace(clock),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it("[poll.pace] the pace backs off from one second to ten, by a tenth of the idle time", () => {
  const { pace, pass } = paceAt();
  const asked = [0, 5_000, 5_000, 10_000, 40_000, 40_000, 3_600_000].map((ms) => {
    pass(ms);
    return pace.next("s", IDLE);
  });
  expect(asked).toEqual([1_000, 1_000, 1_000, 2_000, 6_000, 10_000, 10_000]);
});

it("[poll.pace] a client that follows the pace reaches ten seconds within two minutes", () => {
  const { pace, pass } = paceAt();
  let polls = 0;
  let spentMs = 0;
  for (let nextMs = pace.next("s", IDLE); nextMs < 10_000; nextMs = pace.next("s", IDLE)) {
    polls++;
    spentMs += nextMs;
    pass(nextMs);
  }
  expect(spentMs).toBeLessThan(120_000);
  expect(polls).toBeLessThan(40);
  pass(86_400_000);
  expect(pace.next("s", IDLE)).toBe(10_000);
});

it("[poll.pace] the next poll is due at once while there is more, and soon after events", () => {
  const { pace, pass } = paceAt();
  pace.next("s", IDLE);
  pass(100_000);
  expect(pace.next("s", IDLE)).toBe(10_000);
  expect(pace.next("s", { idle: false, caughtUp: false })).toBe(0);
  expect(pace.next("s", { idle: false, caughtUp: true })).toBe(200);
  expect(pace.next("s", IDLE)).toBe(1_000);
});

it("[poll.pace] each subscription has its own pace", () => {
  const { pace, pass } = paceAt();
  pace.next("one", IDLE);
  pass(50_000);
  expect(pace.next("two", IDLE)).toBe(1_000);
  expect(pace.next("one", IDLE)).toBe(5_000);
});

it("[poll.pace] clients poll sooner when there are too many idle subscriptions to remember", () => {
  const { pace, pass } = paceAt();
  pace.next("first", IDLE);
  for (let n = 0; n < 10_000; n++) pace.next(`other ${n}`, IDLE);
  pass(100_000);
  expect(pace.next("first", IDLE)).toBe(1_000);
  expect(pace.next("other 9999", IDLE)).toBe(10_000);
});
