import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Position } from "../../../packages/core/src/model/position.ts";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import { createHistory } from "./log/history.ts";
import { publishAll } from "./log/publishers.ts";
import { readAll } from "./log/read-all.ts";
import { simulateLog } from "./log/simulated-log.ts";

const RUNS = Number(process.env.RUNS ?? 7 * DEPTH);

const anyRun = fc.record({
  seed: fc.integer({ min: 0 }),
  partitions: fc.constantFrom(1, 2, 5, 16),
  publishers: fc.integer({ min: 1, max: 6 }),
  requests: fc.integer({ min: 1, max: 40 }),
  limit: fc.constantFrom(1, 3, 10, 1_000),
  rare: fc.boolean(),
});

describe("reading back", () => {
  it("[read.back] reading back returns every event once, newest first, from any place, in pages of any size", async () => {
    const property = fc.asyncProperty(
      anyRun,
      async ({ seed, partitions, limit, rare, ...work }) => {
        const { time, random, ...simulated } = simulateLog(seed, { scanMs: 40 });
        const writers = ["a", "b"].map((name) => simulated.start(name));
        const reader = simulated.start("reader");
        await time.finish(simulated.createStream(reader, partitions));
        const workload = { ...work, keyed: 0.3 };
        await time.finish(publishAll(writers, createHistory(), random.fork("work"), workload));
        const log = await time.finish(readAll(reader, random.fork("all")));
        const stream = await time.finish(reader.load());
        const matches = rare
          ? ({ sequence }: { sequence: number }) => sequence % 7 === 0
          : undefined;
        let at: readonly (Position | undefined)[] = await time.finish(
          reader.log.seek(stream, "latest"),
        );
        const met: string[] = [];
        const times: number[] = [];
        for (let done = false; !done; ) {
          const page = await time.finish(
            reader.log.readBack(stream.life, at, {
              limit,
              matches,
              among: undefined,
              bound: undefined,
              lookedMax: 50,
            }),
          );
          expect(page.events.length).toBeLessThanOrEqual(limit);
          expect(page.looked).toBeLessThanOrEqual(50);
          for (const { sequence, publishedAt, data } of page.events) {
            met.push(`${sequence} ${data}`);
            times.push(publishedAt);
          }
          done = page.caughtUp;
          at = page.positions;
        }
        const wanted = log
          .filter(({ event }) => matches?.(event) ?? true)
          .map(({ event }) => `${event.sequence} ${event.data}`);
        expect([...met].sort()).toEqual(wanted.sort());
        expect(times).toEqual([...times].sort((a, b) => b - a));
        expect(simulated.store.refusals).toEqual([]);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 300_000);
});
