import type { Lag } from "@eventledger/protocol";
import { expect, it } from "vitest";
import type { Log } from "../../log/log.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { createSubscriptionLag } from "./lag.ts";

const stream = { life: "life" } as unknown as LiveStream;
const positions = [{ next: 4, batch: 4 }];

function atLag(...measured: Lag[]) {
  let nowMs = 1_000_000;
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  const log = { lag: async () => measured.shift() } as unknown as Log;
  const { snapshotLag } = createSubscriptionLag({ clock, log });
  return {
    lag: () => snapshotLag(stream, positions),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it("[bootstrap.progress] the lag of a snapshot is cached for five seconds, while its age grows", async () => {
  const { lag, pass } = atLag({ events: 7, seconds: 2 }, { events: 9, seconds: 8 });
  expect(await lag()).toEqual({ events: 7, seconds: 2 });
  pass(4_000);
  expect(await lag()).toEqual({ events: 7, seconds: 6 });
  pass(2_000);
  expect(await lag()).toEqual({ events: 9, seconds: 8 });
});

it("[bootstrap.progress] a lag without events has no age", async () => {
  const { lag, pass } = atLag({ events: 0, seconds: 0 });
  await lag();
  pass(4_000);
  expect(await lag()).toEqual({ events: 0, seconds: 0 });
});
