import { expect, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { playBlackBox } from "./play.ts";

const SECONDS = Number(process.env.FAULT_SECONDS ?? 15);

it("loses, doubles and reorders nothing while requests are spoiled and processes are killed", {
  timeout: (SECONDS + 90) * 1_000,
}, async () => {
  console.log(`black box: SEED=${SEED} FAULT_SECONDS=${SECONDS}`);
  const options = {
    seed: String(SEED),
    seconds: SECONDS,
    publishers: 6,
    batch: 100,
    rate: 1_250,
    intensity: 0.03,
    databaseKills: 0,
  };
  const { violations, events, recovery, counts } = await playBlackBox(options);
  console.log({ events, ...recovery, ...counts });
  expect(violations).toEqual([]);
  expect(events).toBeGreaterThan(0);
});
