import { afterAll, describe } from "vitest";
import { type OpenTarget, openHandlerTarget, openTarget } from "./target.ts";
import type { Target } from "./wire.ts";

type Suite = (target: Target) => void;

/** Runs some suites of the contract against the local stack, or the stage of this run. */
export const holdTarget = (suites: readonly Suite[]): Promise<void> => hold(openTarget, suites);

/**
 * Runs some suites of the contract through the entry point of Lambda. They are about the ledger, so
 * one entry point is enough.
 */
export const holdHandler = (suites: readonly Suite[]): Promise<void> =>
  hold(openHandlerTarget, suites);

async function hold(open: () => Promise<OpenTarget>, suites: readonly Suite[]): Promise<void> {
  const { close, ...target } = await open();
  afterAll(close);
  holdTo(target, suites);
}

/**
 * Runs some suites of the contract against one target, at the same time. Each suite creates its own
 * streams, and spends much of its time waiting, such as for a lease. The tests of one suite run in
 * their order.
 */
export function holdTo(target: Target, suites: readonly Suite[]): void {
  for (const suite of suites) {
    describe.concurrent(suite.name, () => {
      describe("in order", { concurrent: false }, () => suite(target));
    });
  }
}
