import { expect, it } from "vitest";
import { closedLoop } from "../log/lambda-shape.ts";

/** The number of processes that publish one event after another, for each partition. */
const WRITERS = 8;
const SECONDS = 4;

it("in the shape of Lambda, 8 partitions take 7 times the publishes of one, and 64 take 40 times", async () => {
  const [one, eight, most] = [
    await closedLoop(WRITERS, SECONDS),
    await closedLoop(8 * WRITERS, SECONDS, { partitions: 8 }),
    await closedLoop(64 * WRITERS, SECONDS, { partitions: 64 }),
  ];
  console.log({ one, eight, most });
  expect(eight.perSecond).toBeGreaterThanOrEqual(7 * one.perSecond);
  expect(most.perSecond).toBeGreaterThanOrEqual(40 * one.perSecond);
});
