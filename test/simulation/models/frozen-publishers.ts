import assert from "node:assert/strict";
import type { RawJson } from "../../../packages/core/src/model/event.ts";
import type { ProcessOptions } from "../dynamodb/virtual-clock.ts";
import { type LogProcess, simulateLog } from "./log/simulated-log.ts";
import type { Scenario } from "./subscription/scenario.ts";

/** When a publisher is frozen, in milliseconds after its request: before, in and after its put. */
const MOMENTS_MS = [1, 3, 6, 9];
const FROZEN_MS = 61_000;

/** Returns the sequence of a published event, or the code of the problem. */
async function outcome({ log, recall }: LogProcess): Promise<number | string> {
  try {
    const event = { attributes: { key: "k" }, data: "1" as RawJson };
    return (await log.publish(await recall(), [event])).events[0]?.sequence ?? 0;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** A publisher that is frozen for a minute at any moment of its put never says that it wrote. */
async function freeze(options: ProcessOptions): Promise<void> {
  const { time, start, createStream } = simulateLog("frozen publishers", { latencyMs: () => 5 });
  const frozen = start("frozen", options);
  await time.finish(createStream(frozen, 1));
  const pass = (ms: number) => {
    // Time does not move when nothing is left to happen, so this schedules an empty step.
    time.after(ms, () => {});
    return time.run({ untilMs: time.nowMs() + ms });
  };
  for (const [round, atMs] of MOMENTS_MS.entries()) {
    assert.equal(await time.finish(outcome(frozen)), 2 * round + 1);
    const answer = outcome(frozen);
    await pass(atMs);
    frozen.process.freeze();
    await pass(FROZEN_MS);
    frozen.process.thaw();
    assert.equal(await time.finish(answer), "outcome-unknown", `frozen after ${atMs} ms`);
    await pass(2 * FROZEN_MS);
  }
}

/** A process trusts an answer only while its knowledge from before the request is current. */
export const frozenPublishers: readonly Scenario[] = [
  {
    name: "its clocks go on",
    play: () => freeze({ monotonicStops: false }),
  },
  {
    name: "its monotonic clock stops",
    play: () => freeze({ monotonicStops: true }),
  },
];
