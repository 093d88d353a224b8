import { cpus, loadavg } from "node:os";
import { expect, it } from "vitest";
import type { Line } from "../../simulation/checker/history.ts";
import { SEED } from "../../support/seed.ts";
import { playBlackBox } from "./play.ts";

const SECONDS = Number(process.env.FAULT_SECONDS ?? 15);

it("no event is lost, duplicated or reordered while requests fail and processes are killed", {
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
  const { violations, events, recovery, counts, history } = await playBlackBox(options);
  console.log({ events, ...recovery, ...counts });
  expect(violations).toEqual([]);
  expect(events).toBeGreaterThan(0);
  // The history has both outcomes of publishes with an expected sequence, so the checker judged
  // both.
  expect(answersToExpecting(history)).toEqual(expect.arrayContaining(["ok", "sequence-mismatch"]));
});

it("[partitions.order] a stream goes from 1 to 8 to 2 partitions while processes are killed, and no reader misses or reorders an event", {
  timeout: (SECONDS * 4 + 600) * 1_000,
}, async () => {
  const slowness = slownessNow();
  console.log(
    `black box with changes of partitions: SEED=${SEED} FAULT_SECONDS=${SECONDS} on a machine ${slowness} times slower than an idle one`,
  );
  const options = {
    seed: `sizes ${SEED}`,
    seconds: SECONDS,
    publishers: 8,
    batch: 100,
    rate: Math.ceil(1_250 / slowness),
    intensity: 0.03,
    databaseKills: 0,
    sizes: [1, 8, 2],
    slowness,
    onProgress: console.log,
  };
  const { violations, events, recovery, counts } = await playBlackBox(options);
  console.log({ events, ...recovery, ...counts });
  expect(violations).toEqual([]);
  expect(events).toBeGreaterThan(0);
  expect(counts["resize.ok"]).toBe(2);
});

/**
 * Returns how many times longer work takes on this machine while others use it. Fewer events are
 * then published, because all readers of a run have to keep up.
 */
const slownessNow = (): number => Math.max(1, Math.ceil((loadavg()[0] ?? 0) / cpus().length));

/** Returns the results of conditional publishes, each kind once. */
function answersToExpecting(history: readonly Line[]): string[] {
  const calls = new Set<number>();
  const answers = new Set<string>();
  for (const line of history) {
    if (line.type === "info") continue;
    const { call, op, type } = line;
    if (type === "invoke" && op === "publish") {
      if (line.events.some(({ expected }) => expected !== undefined)) calls.add(call);
    } else if (calls.has(call)) {
      answers.add("code" in line ? line.code : type);
    }
  }
  return [...answers];
}
