import { expect, inject, it } from "vitest";
import { SEED } from "../support/seed.ts";
import { play } from "./copies/play.ts";

it("every copy equals the plan after kills of the publisher and of the views", async () => {
  const plan = { seed: SEED, events: 2_000, keys: 200, kills: 1, intensity: 0.1 };
  const { copies, ...log } = await play({ ...plan, endpoint: inject("dynamoEndpoint") });
  expect(log).toMatchObject({ lost: 0, twice: 0, disordered: 0 });
  for (const [name, copy] of Object.entries(copies)) {
    expect([name, copy]).toEqual([name, { wrongRows: 0, round: 1 }]);
  }
}, 240_000);
