import { expect, it } from "vitest";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { shrinkPlan } from "./shrink.ts";

const PLAN: Plan = {
  ...drawPlan(seededRandom("shrink")),
  publishers: 6,
  requests: 9,
  kills: 2,
  freezes: 3,
  followers: 2,
  sweepers: 2,
  phases: 3,
  writeFaults: { throttle: 0.1, "error-after": 0.1, "reset-before": 0.1 },
  readFaults: { throttle: 0.1 },
};

it("every fault and role that a failure does not need is left out", async () => {
  const fails = async ({ writeFaults, publishers, freezes }: Plan) =>
    (writeFaults["error-after"] ?? 0) > 0 && publishers >= 3 && freezes >= 1;
  const { plan, tried, without } = await shrinkPlan(PLAN, fails, () => true);
  expect(plan).toMatchObject({
    writeFaults: { "error-after": 0.1 },
    readFaults: {},
    publishers: 3,
    freezes: 1,
    kills: 0,
    followers: 0,
    sweepers: 0,
    phases: 1,
    requests: 1,
    doorbell: false,
  });
  expect(without).toContain("throttle of writes");
  expect(tried).toBeLessThan(200);
});

it("shrinking returns the smallest plan so far when its time is up", async () => {
  let left = 5;
  const { plan, tried } = await shrinkPlan(
    PLAN,
    async () => true,
    () => left-- > 0,
  );
  expect(tried).toBeLessThanOrEqual(5);
  expect(plan.publishers).toBe(6);
});
