import assert from "node:assert/strict";
import { once } from "node:events";
import { createLedger, defaultTenant, LedgerError } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import type { Scenario } from "./subscription/scenario.ts";

const HOUR_MS = 3_600_000;
const NAME = "orders";
const TABLE = "retention";

/**
 * Opens a stream on a store whose rows expire. `meanwhile` runs before a request whose label it
 * names.
 */
export async function openWorld(retentionHours: number, seed: number) {
  const world = { nowMs: Date.UTC(2026, 0, 1) };
  let meanwhile: ((label: string) => Promise<void>) | undefined;
  const store = createFakeDynamo({
    tableName: TABLE,
    seed,
    nowMs: () => world.nowMs,
    gate: async (label) => {
      const run = meanwhile;
      if (run === undefined || !label.startsWith("send")) return;
      meanwhile = undefined;
      await run(label);
      meanwhile = run;
    },
  });
  const ledger = createLedger({
    client: store.client() as never,
    tableName: TABLE,
    clock: {
      now: () => world.nowMs,
      monotonic: () => world.nowMs,
      sleep: async (_, signal) => void (signal && (await once(signal, "abort"))),
    },
    random: seededRandom(seed),
    cursorKeys: [{ id: 1, secret: Buffer.from("retention") }],
  });
  await ledger.createStream(defaultTenant, {
    name: NAME,
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours,
    archiveDays: null,
  });
  const publish = async (data: number) => {
    const event = { attributes: { key: `k${data}` }, data: String(data) as never };
    return (await ledger.publish(defaultTenant, NAME, [event])).cursor;
  };
  const read = async (from: string): Promise<readonly number[] | string> => {
    try {
      const { events } = await ledger.browse(defaultTenant, NAME, { from, limit: 1_000 });
      return events.map(({ data }) => Number(data));
    } catch (error) {
      if (error instanceof LedgerError) return error.code;
      throw error;
    }
  };
  return {
    world,
    ledger,
    store,
    publish,
    read,
    patch: (hours: number) =>
      ledger.patchStream(defaultTenant, NAME, { retentionHours: hours }).then(() => {}),
    during: (run: typeof meanwhile) => {
      meanwhile = run;
    },
  };
}

/**
 * The scenarios in which a stream's retention changes, and those in which compaction never pauses.
 */
export const retentionScenarios = (seed: number): readonly Scenario[] => [
  ...[1, 2, 3].map(
    (n): Scenario => ({
      name: `[stream.patch] [retention.passed] is readable from its earliest event however rows expire after a longer one (${n})`,
      play: () => lengthened(seed + n),
    }),
  ),
  {
    name: "[retention.passed] is readable from its earliest event where compaction runs and no sweep comes",
    play: () => unswept(seed),
  },
  {
    name: "[read.contiguous] goes on where it was after a batch has landed among numbers that have expired",
    play: () => landedLate(seed),
  },
  { name: "[stream.patch] is read by a shorter one at once", play: () => shortened(seed) },
  {
    name: "[retention.passed] lets events go in their time while compaction moves on without pause",
    play: () => withoutPause(seed),
  },
];

async function lengthened(seed: number): Promise<void> {
  const { world, ledger, store, publish, read, patch } = await openWorld(1, seed);
  const cursors: string[] = [];
  for (let data = 0; data < 20; data++) {
    cursors.push(await publish(data));
    world.nowMs += HOUR_MS / 40;
  }
  await patch(8_760);
  for (let data = 100; data < 105; data++) await publish(data);
  const later = [100, 101, 102, 103, 104];
  for (let hour = 0; hour < 36 * 24; hour++) {
    world.nowMs += HOUR_MS;
    await ledger.sweep();
    // Some of the due items expire, in any order, as in DynamoDB.
    store.expireItems({ lateMs: 72 * HOUR_MS, limit: 2 });
    if (hour % 12 !== 0 && hour < 30 * 24) continue;
    const earliest = await read("earliest");
    assert.deepEqual(earliest.slice(-5), later, `hour ${hour}`);
    for (const cursor of [cursors[0] ?? "", cursors[9] ?? ""]) {
      const rest = await read(cursor);
      if (rest !== "retention-passed") assert.deepEqual(rest.slice(-5), later, `hour ${hour}`);
    }
  }
  assert.ok((store.tally.all()["item.expired"] ?? 0) > 19);
  assert.deepEqual(await read("earliest"), later);
  assert.equal(await read(cursors[0] ?? ""), "retention-passed");
  assert.deepEqual(store.refusals, []);
}

async function unswept(seed: number): Promise<void> {
  const { world, ledger, store, publish, read } = await openWorld(1, seed);
  for (let hour = 0; hour < 40 * 24; hour += 6) {
    world.nowMs += 6 * HOUR_MS;
    await publish(hour);
    await ledger.compact(defaultTenant, NAME);
    store.expireItems({ lateMs: 72 * HOUR_MS });
    if (hour < 29 * 24) continue;
    const earliest = await read("earliest");
    assert.equal(earliest.at(-1), hour, `hour ${hour}`);
  }
}

/** A put that was delayed for weeks finds its place empty, because the batch there has expired. */
async function landedLate(seed: number): Promise<void> {
  const isBatch = ({ sk }: { readonly sk?: unknown }) => String(sk).startsWith("SEQ#");
  const twin = await openWorld(1, seed);
  const events = Array.from({ length: 12 }, (_, n) => ({
    attributes: { key: `late${n}` },
    data: String(n) as never,
  }));
  await twin.ledger.publish(defaultTenant, NAME, events);
  const late = twin.store.items().filter(isBatch);
  const { world, ledger, store, publish, read } = await openWorld(1, seed);
  for (const data of [1, 2]) await publish(data);
  for (let day = 0; day < 40; day++) {
    world.nowMs += 24 * HOUR_MS;
    await ledger.sweep();
    store.expireItems({ lateMs: 0 });
  }
  assert.deepEqual(store.items().filter(isBatch), []);
  store.load(late);
  const { events: receipt } = await ledger.publish(defaultTenant, NAME, events.slice(0, 1));
  assert.deepEqual(
    receipt.map(({ sequence }) => sequence),
    [3],
  );
  assert.deepEqual(await read("earliest"), [0]);
}

async function shortened(seed: number): Promise<void> {
  const { world, ledger, publish, read, patch } = await openWorld(48, seed);
  await publish(1);
  world.nowMs += 10 * HOUR_MS;
  await publish(2);
  await patch(1);
  world.nowMs += HOUR_MS / 2;
  await publish(3);
  await ledger.sweep();
  assert.deepEqual(await read("earliest"), [2, 3]);
  world.nowMs += 5 * HOUR_MS;
  await publish(4);
  await ledger.sweep();
  assert.deepEqual(await read("earliest"), [4]);
}

async function withoutPause(seed: number): Promise<void> {
  const { world, ledger, publish, read, during } = await openWorld(1, seed);
  for (let data = 0; data < 5; data++) await publish(data);
  await ledger.compact(defaultTenant, NAME);
  world.nowMs += 10 * HOUR_MS;
  let data = 100;
  // Compaction moves the checkpoint just before each write of a sweep.
  during(async (label) => {
    if (!/update .*CHECKPOINT/.test(label)) return;
    world.nowMs += 1;
    await publish(data++);
    await ledger.compact(defaultTenant, NAME);
  });
  const { floorsMoved } = await ledger.sweep();
  during(undefined);
  assert.ok(data > 100);
  assert.equal(floorsMoved, 1);
  assert.ok(Number((await read("earliest"))[0]) >= 100);
}
