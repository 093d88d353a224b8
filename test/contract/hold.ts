import { afterAll, describe } from "vitest";
import { openTarget } from "./target.ts";
import type { Target } from "./wire.ts";

type Suite = (target: Target) => void;

/**
 * Holds one target to some suites of the contract. The suites run at the same time: each makes
 * streams of its own, and much of a suite is time that passes, such as a lease. The tests of one
 * suite run in their order.
 */
export async function holdTo(suites: readonly Suite[]): Promise<void> {
  const { close, ...target } = await openTarget();
  afterAll(close);
  for (const suite of suites) {
    describe.concurrent(suite.name, () => {
      describe("in order", { concurrent: false }, () => suite(target));
    });
  }
}
