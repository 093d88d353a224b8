import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import { unpackBatch } from "../../../packages/core/src/log/codec.ts";
import { defaultTenant, type Life } from "../../../packages/core/src/model/names.ts";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import type { FaultRates } from "../dynamodb/faults.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { createHistory, type History } from "./log/history.ts";
import { publishAt } from "./log/publishers.ts";
import { type LogProcess, STREAM, simulateLog } from "./log/simulated-log.ts";

const RUNS = Number(process.env.RUNS ?? 4 * DEPTH);
const KEYS = 6;
const RATES: FaultRates = {
  "timeout-late": 0.03,
  "error-after": 0.05,
  "error-before": 0.05,
  conflict: 0.05,
  twice: 0.05,
};

console.log(`log lives: SEED=${SEED} RUNS=${RUNS}`);

/** One life of the stream. `deletedAt` is the tick at which its deletion was answered. */
type OneLife = { readonly life: Life; readonly partitions: number; deletedAt: number };

it("no publish is confirmed into a life that had ended before it was sent", async () => {
  const anyRun = fc.record({
    seed: fc.integer({ min: 0 }),
    partitions: fc.integer({ min: 1, max: 6 }),
    publishers: fc.integer({ min: 1, max: 8 }),
    faulty: fc.boolean(),
    freezing: fc.boolean(),
  });
  const property = fc.asyncProperty(anyRun, async (run) => {
    const simulated = simulateLog(run.seed);
    const { time, random, store } = simulated;
    const owner = simulated.start("owner");
    const processes = ["a", "b", "c"].map((name) =>
      simulated.start(name, { monotonicStops: random.chance(0.5) }),
    );
    const history = createHistory();
    const lives: OneLife[] = [];
    const begin = async () => {
      await simulated.createStream(owner, run.partitions);
      lives.push({ ...(await owner.load()), deletedAt: Infinity });
    };
    await time.finish(begin());
    if (run.faulty) store.setFaults(() => RATES);
    let done = false;
    const isDone = () => done;
    const work = Promise.all([
      ...Array.from({ length: run.publishers }, (_, n) =>
        publishOn(processes, history, random.fork(`publisher ${n}`)),
      ),
    ]).then(() => {
      done = true;
    });
    const living = endAndBegin(owner, random.fork("lives"), isDone, begin, () => {
      const life = lives.at(-1);
      return () => {
        if (life !== undefined) life.deletedAt = history.tick();
      };
    });
    if (run.freezing) freezeNowAndThen(processes, random.fork("freeze"), isDone, time);
    await time.finish(Promise.all([work, living]));
    store.setFaults();
    await time.run({ untilMs: time.nowMs() + 6 * 60_000 });
    const found = await time.finish(locate(simulated.start("reader"), lives));
    expect(findMisplaced(history, lives, found)).toEqual([]);
    expect(store.refusals).toEqual([]);
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
}, 300_000);

async function publishOn(
  processes: readonly LogProcess[],
  history: History,
  random: SeededRandom,
): Promise<void> {
  for (let n = 0; n < 12; n++) {
    const by = random.pick(processes);
    const keys = Array.from(
      { length: random.between(1, 3) },
      () => `key-${random.between(1, KEYS)}`,
    );
    const idempotencyKey = random.chance(0.2) ? `i${history.requests.length}` : undefined;
    await publishAt(by, history, history.add(keys, idempotencyKey));
    await by.process.clock.sleep(random.fraction() * 1_500);
  }
}

async function endAndBegin(
  owner: LogProcess,
  random: SeededRandom,
  isDone: () => boolean,
  begin: () => Promise<void>,
  nameEnd: () => () => void,
): Promise<void> {
  /** Repeats a request, as a client does, until it succeeds or fails with the code `enough`. */
  const insist = async (work: () => Promise<void>, enough: string): Promise<void> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        if (error.code === enough) return;
        await owner.process.clock.sleep(100);
      }
    }
  };
  while (!isDone()) {
    await owner.process.clock.sleep(random.fraction() * 8_000);
    const ended = nameEnd();
    // A stream is reported as not found only once its chains are sealed.
    await insist(async () => {
      await owner.streams.end(defaultTenant, STREAM);
    }, "stream-not-found");
    ended();
    await insist(begin, "");
  }
}

function freezeNowAndThen(
  processes: readonly LogProcess[],
  random: SeededRandom,
  isDone: () => boolean,
  time: { after(ms: number, run: () => void): void },
): void {
  const next = () => {
    if (isDone()) return;
    const { process } = random.pick(processes);
    process.freeze();
    time.after(random.fraction() * 90_000, () => process.thaw());
    time.after(random.fraction() * 20_000, next);
  };
  time.after(random.fraction() * 5_000, next);
}

/** Returns the lives that contain the events of each request, by their index in the list. */
async function locate(
  { table }: LogProcess,
  lives: readonly OneLife[],
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const [index, { life, partitions }] of lives.entries()) {
    for (let partition = 0; partition < partitions; partition++) {
      for (let next = 1; ; ) {
        const { batches, more } = await table.batches.loadFrom(life, partition, next, 1_000);
        for (const batch of batches) {
          expect(batch.first).toBe(next);
          next += batch.count;
          if (batch.kind === "seal") continue;
          for (const { data } of unpackBatch(batch)) {
            const { request } = JSON.parse(data) as { request: string };
            found.set(request, [...(found.get(request) ?? []), index]);
          }
        }
        if (!more) break;
      }
    }
  }
  return found;
}

function findMisplaced(
  { requests }: History,
  lives: readonly OneLife[],
  found: ReadonlyMap<string, readonly number[]>,
): string[] {
  return requests.flatMap(({ name, events, calls: [call] }) => {
    const places = found.get(name) ?? [];
    const what = `${name} ${call?.outcome} in lives ${places.join()} of ${lives.length}`;
    if (new Set(places).size > 1) return [`in two lives: ${what}`];
    if (places.length > 0 && places.length !== events.length) return [`torn or doubled: ${what}`];
    const success = call?.outcome === "acknowledged";
    if (success && places.length === 0) return [`into the void: ${what}`];
    if (call?.outcome === "rejected" && places.length > 0)
      return [`rejected, but present: ${what}`];
    const deletedAt = lives[places[0] ?? -1]?.deletedAt ?? Infinity;
    return success && deletedAt < call.sentAt ? [`confirmed after the end: ${what}`] : [];
  });
}
