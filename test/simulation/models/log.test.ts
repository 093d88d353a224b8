import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../../packages/core/src/log/read/read-run.ts";
import type { Position } from "../../../packages/core/src/model/position.ts";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import { findViolations } from "./log/find-violations.ts";
import { createHistory } from "./log/history.ts";
import { publishAll } from "./log/publishers.ts";
import { follow, readAll } from "./log/read-all.ts";
import { simulateLog } from "./log/simulated-log.ts";

const RUNS = Number(process.env.RUNS ?? 5 * DEPTH);

console.log(`log model: SEED=${SEED} RUNS=${RUNS}`);

const anyRun = fc.record({
  seed: fc.integer({ min: 0 }),
  partitions: fc.oneof(fc.constantFrom(1, 2, 64), fc.integer({ min: 1, max: 64 })),
  writers: fc.integer({ min: 1, max: 4 }),
  publishers: fc.integer({ min: 1, max: 10 }),
  requests: fc.integer({ min: 1, max: 80 }),
  keyed: fc.constantFrom(0, 0.3, 1),
});

describe("the log", () => {
  it("every reader gets the published events in order, from any cursor, in pages of any size", async () => {
    const property = fc.asyncProperty(
      anyRun,
      async ({ seed, partitions, writers, ...workload }) => {
        const simulated = simulateLog(seed, { scanMs: 40 });
        const { time, random } = simulated;
        const processes = Array.from({ length: writers }, (_, n) => simulated.start(`writer ${n}`));
        const reader = simulated.start("reader");
        await time.finish(simulated.createStream(reader, partitions));
        const history = createHistory();
        const work = publishAll(processes, history, random.fork("work"), workload);
        let done = false;
        const following = follow(reader, random.fork("follower"), () => done);
        await time.finish(
          work.finally(() => {
            done = true;
          }),
        );
        const { entries: followed, cursors } = await time.finish(following);
        const log = await time.finish(readAll(simulated.start("late reader"), random.fork("late")));
        expect(findViolations(log, history, partitions)).toEqual([]);
        expect(findViolations(followed, history, partitions)).toEqual([]);
        expect(history.count("rejected") + history.count("unknown")).toBe(0);
        const cursor = random.pick(cursors);
        const rest = await time.finish(readAll(reader, random.fork("cursor"), cursor));
        expect(namesOf(rest)).toEqual(namesOf(log.filter((entry) => isBehind(cursor, entry))));
        expect(simulated.store.refusals).toEqual([]);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 300_000);
});

const isBehind = (cursor: readonly Position[], { partition, event }: Entry): boolean =>
  event.sequence >= (cursor[partition]?.next ?? 1);

/** Returns the place of every entry. The reader decides the order between partitions. */
const namesOf = (entries: readonly Entry[]): string[] =>
  entries.map(({ partition, event }) => `P${partition} ${event.sequence} ${event.data}`).sort();
