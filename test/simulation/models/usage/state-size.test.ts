import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { chainOfNew } from "../../../../packages/core/src/model/epochs.ts";
import { DEPTH } from "../../../support/depth.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import {
  DAY_MS,
  HOUR_MS,
  NAME,
  openArchive,
  TABLE,
  type Through,
} from "../archive/archive-world.ts";
import { mortal } from "./mortal.ts";

/**
 * These tests compare the size of the compacted state in usage with the log: the last version of
 * each key below the checkpoint.
 */

const SEEDS = Number(process.env.STATE_SEEDS ?? 3 * DEPTH);
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

type World = Awaited<ReturnType<typeof openArchive>>;
type Version = {
  readonly key: string;
  readonly partition: number;
  readonly sequence: number;
  readonly size: number;
  readonly hour: number;
};

/** Opens a stream whose events are noted as they are published. */
async function openState({ seed, partitions = 1 }: { seed: number; partitions?: number }) {
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

const sizeNow = async (world: Pick<World, "ledger" | "world">) =>
  (await usageOf(world)).at(-1)?.size ?? 0;

/** Returns the size of the rows of the state. */
const rowsSize = ({ store }: Pick<World, "store">): number =>
  store
    .items()
    .filter(({ pk, x }) => String(pk).includes("#COMPACT#") && x !== true)
    .reduce((sum, { r }) => sum + Number(r) - 3, 0);

type State = Awaited<ReturnType<typeof openState>>;

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

describe("the size of a compacted state", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.stored] is that of the last versions below the checkpoint, through kills, deletions and changes of partitions (seed %i)",
    async (seed) => {
      const state = await openState({ seed, partitions: 1 + (seed % 3) });
      const { random, world, ledger, store } = state;
      for (let step = 0; step < 40; step++) {
        const keys = random.fraction() < 0.5 ? 5 : 200;
        for (let batch = random.between(1, 6); batch > 0; batch--) {
          await state.publish(random.between(1, 12), keys);
        }
        await compactBadly(state, step);
        expect(await sizeNow(state)).toBe(state.sizeAtCheckpoints());
        world.nowMs += random.between(0, 40) * MINUTE_MS;
        if (step === 20) await ledger.patchStream(defaultTenant, NAME, { partitions: 4 });
        if (step % 10 === 9) store.expireItems({ lateMs: 0 });
      }
      await ledger.compact(defaultTenant, NAME);
      await ledger.sweep();
      expect(await sizeNow(state)).toBe(state.sizeOf(() => true));
      expect(rowsSize(state)).toBe(state.sizeOf(() => true));
      const lines = await usageOf(state);
      const then = lines.map(({ time }) => {
        const hour = Date.parse(time) / HOUR_MS;
        return { time, size: state.sizeOf((version) => version.hour <= hour) };
      });
      expect(lines).toEqual(then);
    },
  );

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.stored] is counted again after an older version has compacted, while events arrive and sweepers are killed (seed %i)",
    async (seed) => {
      const state = await openState({ seed, partitions: 1 + (seed % 2) });
      const { random, world, ledger, openLedger } = state;
      for (let round = 0; round < 4; round++) {
        for (let batch = 0; batch < 12; batch++) await state.publish(20, 300);
        await ledger.compact(defaultTenant, NAME);
        if (round === 2) await ledger.patchStream(defaultTenant, NAME, { partitions: 3 });
        await forget(state);
        for (let run = 0; run < 8; run++) {
          const { through, live } = mortal(random.between(5, 60), random.fraction() < 0.5);
          const sweeper = openLedger(500 + 10 * round + run, through);
          await Promise.all([live(sweeper.sweep()), state.publish(3, 300), live(sweeper.sweep())]);
          await settle();
        }
        await ledger.compact(defaultTenant, NAME);
        await ledger.sweep();
        expect(await sizeNow(state)).toBe(rowsSize(state));
        expect(rowsSize(state)).toBe(state.sizeOf(() => true));
        world.nowMs += random.between(30, 90) * MINUTE_MS;
      }
    },
  );

  it("[usage.stored] is counted again after its partition was not compacted for days", async () => {
    const state = await openState({ seed: 1 });
    const { world, ledger, openLedger, store } = state;
    await state.publish(20, 20);
    await ledger.compact(defaultTenant, NAME);
    await state.publish(20, 20);
    // This compactor is killed after it has put its rows, and before it moves the checkpoint.
    const isMove = (name: string) => name.includes("UpdateCommand");
    let left = 20;
    const through: Through = (run, name) =>
      isMove(name) && left-- <= 0 ? new Promise(() => {}) : run();
    void openLedger(2, through).compact(defaultTenant, NAME);
    await settle();
    world.nowMs += 8 * DAY_MS;
    store.expireItems({ lateMs: 0 });
    await ledger.sweep();
    await ledger.sweep();
    expect(await sizeNow(state)).toBe(state.sizeOf(() => true));
  });

  it("[usage.stored] of a stream without events for months is known in each of its days", async () => {
    const state = await openState({ seed: 3 });
    const { world, ledger, pass } = state;
    await state.publish(20, 20);
    await ledger.compact(defaultTenant, NAME);
    await pass(60 * DAY_MS, 6 * HOUR_MS);
    await state.publish(5, 20);
    await ledger.compact(defaultTenant, NAME);
    await pass(30 * DAY_MS, 6 * HOUR_MS);
    const first = state.sizeOf(({ hour }) => hour < START_MS / HOUR_MS + 24);
    const at = async (day: number) => {
      const from = new Date(START_MS + day * DAY_MS).toISOString();
      const to = new Date(START_MS + (day + 1) * DAY_MS).toISOString();
      const query = { by: "stream", step: "day", from, to, limit: 10 };
      const page = await ledger.getUsage(defaultTenant, query as never, { covers: () => true });
      return page.usage.map(({ stored }) => stored?.compactedBytes);
    };
    expect(await at(30)).toEqual([first]);
    expect(await at(75)).toEqual([state.sizeOf(() => true)]);
    expect(world.nowMs).toBeGreaterThan(START_MS + 89 * DAY_MS);
  });

  it("[usage.stored] costs no request, and no write unit on a row that has room for it", async () => {
    const state = await openState({ seed: 2 });
    const sent = () => state.store.tally.get("sent.update") ?? 0;
    const units = () => state.store.tally.get("capacity.write") ?? 0;
    await state.publish(100, 1_000);
    const before = { sent: sent(), units: units() };
    await state.ledger.compact(defaultTenant, NAME);
    const rows = state.store.items().filter(({ pk }) => String(pk).includes("#COMPACT#")).length;
    expect(sent() - before.sent).toBe(rows + 1);
    expect(units() - before.units).toBe(rows + 1);
  });
});

/** Lets requests that are sent be executed, also those of a killed process. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

/** Makes rows and checkpoints as a version writes them that counts no state. */
async function forget({ store }: State): Promise<void> {
  const client = store.client() as unknown as { send(command: object): Promise<unknown> };
  for (const { pk, sk, usage } of store.items()) {
    const of = { TableName: TABLE, Key: { pk, sk } };
    if (sk === "CHECKPOINT" && Array.isArray(usage)) {
      const bare = usage.map(([hour, events, bytes]) => [hour, events, bytes]);
      await client.send(
        new UpdateCommand({
          ...of,
          UpdateExpression: "SET #u = :u",
          ExpressionAttributeNames: { "#u": "usage" },
          ExpressionAttributeValues: { ":u": bare },
        }),
      );
    }
    if (String(pk).includes("#COMPACT#")) {
      await client.send(
        new UpdateCommand({
          ...of,
          UpdateExpression: "REMOVE #o, #v",
          ExpressionAttributeNames: { "#o": "o", "#v": "v" },
        }),
      );
    }
  }
}
