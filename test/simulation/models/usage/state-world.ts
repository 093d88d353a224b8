import assert from "node:assert/strict";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { chainOfNew } from "../../../../packages/core/src/model/epochs.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS, HOUR_MS, NAME, openArchive, type Through } from "../archive/archive-world.ts";
import { mortal } from "./mortal.ts";

export const MINUTE_MS = 60_000;
export const START_MS = Date.UTC(2026, 0, 1);

type World = Awaited<ReturnType<typeof openArchive>>;
type Version = {
  readonly key: string;
  readonly partition: number;
  readonly sequence: number;
  readonly size: number;
  readonly hour: number;
};

/** Opens a stream whose events are noted as they are published. */
export async function openState({ seed, partitions = 1 }: { seed: number; partitions?: number }) {
  const opened = await openArchive({ seed, partitions, retentionHours: 24, archiveDays: null });
  const random = seededRandom(seed * 7);
  const log: Version[] = [];

  async function publish(count: number, keys: number): Promise<void> {
    const events = Array.from({ length: count }, () => {
      const isDeleted = random.fraction() < 0.2;
      const text = isDeleted ? "null" : `"${"x".repeat(random.between(0, 40))}"`;
      return { attributes: { key: `k${random.between(1, keys)}` }, data: text as never };
    });
    const { events: written } = await opened.ledger.publish(defaultTenant, NAME, events);
    const stream = opened.store.items().find(({ sk }) => sk === "META") as never;
    for (const [index, { attributes, data }] of events.entries()) {
      const { key } = attributes;
      // The row of a key names the id that its publisher did not give.
      const head = JSON.stringify([key, String(data).length, null, written[index]?.id]);
      const size = data === "null" ? 0 : head.length + String(data).length;
      const sequence = written[index]?.sequence ?? 0;
      const hour = Math.floor(opened.world.nowMs / HOUR_MS);
      log.push({ key, partition: chainOfNew(stream, key), sequence, size, hour });
    }
  }

  /** Returns the size of the last versions among those that are counted. */
  function sizeOf(isCounted: (version: Version) => boolean): number {
    const last = new Map<string, Version>();
    for (const version of log) {
      const known = last.get(version.key)?.sequence ?? 0;
      if (isCounted(version) && version.sequence > known) last.set(version.key, version);
    }
    return [...last.values()].reduce((sum, { size }) => sum + size, 0);
  }

  const checkpoints = () =>
    new Map(
      opened.store
        .items()
        .filter(({ sk }) => sk === "CHECKPOINT")
        .map(({ partition, next }) => [Number(partition), Number(next)]),
    );
  /** Returns the size at the checkpoints that are stored now. */
  function sizeAtCheckpoints(): number {
    const places = checkpoints();
    return sizeOf(({ partition, sequence }) => sequence < (places.get(partition) ?? 0));
  }
  return { ...opened, random, log, publish, sizeOf, sizeAtCheckpoints };
}

async function usageOf({ ledger, world }: Pick<World, "ledger" | "world">, step = "hour") {
  const from = new Date(Math.max(START_MS - HOUR_MS, world.nowMs - 30 * DAY_MS)).toISOString();
  const to = new Date(world.nowMs + 1).toISOString();
  const query = { by: "stream", step, from, to, limit: 1_000 };
  const page = await ledger.getUsage(defaultTenant, query as never, { covers: () => true });
  return page.usage.map(({ time, stored }) => ({ time, size: stored?.compactedBytes ?? 0 }));
}

export const sizeNow = async (world: Pick<World, "ledger" | "world">) =>
  (await usageOf(world)).at(-1)?.size ?? 0;

/** Returns the size of the rows of the state. */
export const rowsSize = ({ store }: Pick<World, "store">): number =>
  store
    .items()
    .filter(({ pk, x }) => String(pk).includes("#COMPACT#") && x !== true)
    .reduce((sum, { r }) => sum + Number(r) - 3, 0);

export type State = Awaited<ReturnType<typeof openState>>;

/** Runs compactors that are slow, and killed at some request, two at a time. */
async function compactBadly({ random, openLedger, world }: State, number: number): Promise<void> {
  const slowMs = random.fraction() < 0.5 ? 0 : random.between(20, 90);
  const runs = Array.from({ length: random.between(1, 2) }, (_, of) => {
    const { through, live } = mortal(random.between(1, 80), random.fraction() < 0.5);
    const slow: Through = (run, name) => {
      world.nowMs += slowMs;
      return through(run, name);
    };
    const rowsTogether = random.fraction() < 0.5 ? 1 : 25;
    const process = openLedger(100 + 2 * number + of, slow, { rowsTogether });
    return live(random.fraction() < 0.3 ? process.sweep() : process.compact(defaultTenant, NAME));
  });
  await Promise.all(runs);
  await settle();
}

/** Lets requests that are sent be executed, also those of a killed process. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

/**
 * Publishes while compactors are slow and killed. Throws when the size in usage is not that of the
 * last versions below the checkpoint.
 */
export async function playSizes(seed: number): Promise<void> {
  const state = await openState({ seed, partitions: 1 + (seed % 3) });
  const { random, world, ledger, store } = state;
  for (let step = 0; step < 40; step++) {
    const keys = random.fraction() < 0.5 ? 5 : 200;
    for (let batch = random.between(1, 6); batch > 0; batch--) {
      await state.publish(random.between(1, 12), keys);
    }
    await compactBadly(state, step);
    assert.equal(await sizeNow(state), state.sizeAtCheckpoints());
    world.nowMs += random.between(0, 40) * MINUTE_MS;
    if (step === 20) await ledger.patchStream(defaultTenant, NAME, { partitions: 4 });
    if (step % 10 === 9) store.expireItems({ lateMs: 0 });
  }
  await ledger.compact(defaultTenant, NAME);
  await ledger.sweep();
  assert.equal(
    await sizeNow(state),
    state.sizeOf(() => true),
  );
  assert.equal(
    rowsSize(state),
    state.sizeOf(() => true),
  );
  const lines = await usageOf(state);
  const then = lines.map(({ time }) => {
    const hour = Date.parse(time) / HOUR_MS;
    return { time, size: state.sizeOf((version) => version.hour <= hour) };
  });
  assert.deepEqual(lines, then);
}
