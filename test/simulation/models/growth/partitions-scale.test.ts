import { expect, it } from "vitest";
import { closedLoop } from "../log/lambda-shape.ts";

/** The number of processes that publish one event after another, for each partition. */
const WRITERS = 8;

it("in the shape of Lambda, 8 partitions take 7 times the publishes of one", async () => {
  const one = await closedLoop(WRITERS, 1);
  const eight = await closedLoop(8 * WRITERS, 1, { partitions: 8 });
  expect(eight.perSecond).toBeGreaterThanOrEqual(7 * one.perSecond);
});
