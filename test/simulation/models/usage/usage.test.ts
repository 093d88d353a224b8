import { describe, expect, it } from "vitest";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import { DEPTH } from "../../../support/depth.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { HOUR_MS, NAME, openArchive, type Through } from "../archive/archive-world.ts";
import { mortal } from "./mortal.ts";

/** These tests compare the usage of a log with what was published, while processes are killed. */

const SEEDS = Number(process.env.USAGE_SEEDS ?? 2 * DEPTH);
const MINUTE_MS = 60_000;

type World = Awaited<ReturnType<typeof openArchive>>;
type Expected = Map<string, { events: number; bytes: number }>;

/** Publishes events, and records what usage must report about them. */
async function publish({ world, published, ledger, ...rest }: World, count: number, to: Expected) {
  const at = published.length;
  await rest.publish(count);
  const time = new Date(world.nowMs - (world.nowMs % HOUR_MS)).toISOString();
  const sum = to.get(time) ?? { events: 0, bytes: 0 };
  for (const number of published.slice(at)) {
    const data = JSON.stringify({ number, text: "x".repeat(10) });
    const head = JSON.stringify([`k${number % 7}`, data.length]);
    to.set(time, sum);
    sum.events++;
    sum.bytes += Buffer.byteLength(head + data);
  }
}

async function publishedOf(ledger: Ledger, from = Date.UTC(2026, 0, 1)) {
  const time = { from: new Date(from).toISOString(), step: "hour", by: "stream", limit: 1_000 };
  const to = new Date(from + 30 * 24 * HOUR_MS).toISOString();
  const { usage } = await ledger.getUsage(defaultTenant, { ...time, to } as never, {
    covers: () => true,
  });
  return usage.filter(({ published }) => published.events > 0);
}

/** Returns what the log stores at the end of each hour with events, according to the plan. */
const storedThen = (expected: Expected, retentionHours: number) =>
  [...expected.keys()].map((time) => {
    const age = (of: string) => (Date.parse(time) - Date.parse(of)) / HOUR_MS;
    const kept = [...expected].filter(([of]) => age(of) >= 0 && age(of) < retentionHours);
    return kept.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  });

const inOrder = (expected: Expected) =>
  [...expected].map(([time, published]) => ({ time, published }));

const shown = (usage: Awaited<ReturnType<typeof publishedOf>>) =>
  usage.map(({ time, published }) => ({ time, published }));

describe("usage of a log", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.exact] [usage.stored] compactors that are killed again and again count every event once (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const partitions = random.between(1, 3);
      const world = await openArchive({ seed, partitions, retentionHours: 10, archiveDays: null });
      const expected: Expected = new Map();
      for (let step = 0; step < 40; step++) {
        await publish(world, random.between(1, 20), expected);
        const runs = Array.from({ length: random.between(0, 2) }, (_, of) => {
          const { through, live } = mortal(random.between(1, 60), random.fraction() < 0.5);
          const process = world.openLedger(100 + 2 * step + of, through);
          return live(
            random.fraction() < 0.5 ? process.sweep() : process.compact(defaultTenant, NAME),
          );
        });
        await Promise.all(runs);
        if (step % 8 === 7) await world.ledger.compact(defaultTenant, NAME);
        world.world.nowMs += random.between(0, 60) * MINUTE_MS;
        if (step % 16 === 7) world.world.nowMs += 8 * HOUR_MS;
      }
      await world.ledger.compact(defaultTenant, NAME);
      const usage = await publishedOf(world.ledger);
      expect(shown(usage)).toEqual(inOrder(expected));
      const stored = usage.map((entry) => entry.stored?.hotBytes);
      expect(stored).toEqual(storedThen(expected, 10));
      // When everything has moved into rows, the report does not change.
      await world.pass(20 * HOUR_MS, 4 * HOUR_MS);
      expect(shown(await publishedOf(world.ledger))).toEqual(inOrder(expected));
    },
  );

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.deleted] the usage of a stream stays when the stream is deleted (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const world = await openArchive({
        seed,
        partitions: 2,
        retentionHours: 360,
        archiveDays: null,
      });
      const expected: Expected = new Map();
      for (let step = 0; step < 5; step++) {
        await publish(world, random.between(1, 50), expected);
        if (random.fraction() < 0.5) await world.ledger.compact(defaultTenant, NAME);
        world.world.nowMs += random.between(0, 100) * MINUTE_MS;
      }
      await publish(world, 3, expected);
      await world.ledger.deleteStream(defaultTenant, NAME);
      world.world.nowMs += 5 * HOUR_MS;
      for (let run = 0; run < 30; run++) {
        const { through, live } = mortal(random.between(1, 40), random.fraction() < 0.5);
        await live(world.openLedger(200 + run, through).sweep());
      }
      await world.pass(2 * HOUR_MS);
      expect(world.rows("SEQ#").filter(({ k }) => k !== "seal")).toEqual([]);
      expect(shown(await publishedOf(world.ledger))).toEqual(inOrder(expected));
    },
  );

  it("[usage.exact] a stream without compaction, and batches of many sizes, count the same", async () => {
    const world = await openArchive({ archiveDays: null });
    const expected: Expected = new Map();
    for (const count of [1, 2, 100, 1_000, 7]) await publish(world, count, expected);
    await world.ledger.compact(defaultTenant, NAME);
    const [entry] = await publishedOf(world.ledger);
    expect(entry?.published).toEqual([...expected.values()][0]);
  });

  it("[usage.exact] a run whose checkpoint moves several times counts each part once", async () => {
    const world = await openArchive({ archiveDays: null });
    let bytes = 0;
    for (let number = 100; number < 400; number++) {
      const event = { attributes: { key: `k${number}` }, data: "1" as never };
      await world.ledger.publish(defaultTenant, NAME, [event]);
      bytes += '["k100",1]1'.length;
    }
    const slow: Through = (run) => {
      world.world.nowMs += 30;
      return run();
    };
    const moves = () => world.store.tally.get("sent.update");
    const before = moves();
    await world.openLedger(2, slow).compact(defaultTenant, NAME);
    expect(moves() - before).toBeGreaterThan(1);
    const [entry] = await publishedOf(world.ledger);
    expect(entry?.published).toEqual({ events: 300, bytes });
  });

  it("[usage.exact] an hour that grows after it has become a row has all of its events", async () => {
    const world = await openArchive({ archiveDays: null });
    const expected: Expected = new Map();
    const keptRows = () => world.store.items().filter(({ pk }) => String(pk).startsWith("USAGE#"));
    await publish(world, 5, expected);
    await world.ledger.compact(defaultTenant, NAME);
    expect(keptRows()).toEqual([]);
    await world.pass(8 * HOUR_MS);
    expect(keptRows()).toHaveLength(1);
    // The clock of this publisher is late.
    world.world.nowMs -= 8 * HOUR_MS;
    await publish(world, 3, expected);
    await world.ledger.compact(defaultTenant, NAME);
    world.world.nowMs += 8 * HOUR_MS;
    expect(shown(await publishedOf(world.ledger))).toEqual(inOrder(expected));
    for (let hour = 0; hour < 9; hour++) {
      await publish(world, 1, expected);
      await world.pass(HOUR_MS);
    }
    expect(keptRows().length).toBeGreaterThan(1);
    expect(shown(await publishedOf(world.ledger))).toEqual(inOrder(expected));
  });

  it("[usage.idle] nothing is written for a partition without events", async () => {
    const world = await openArchive({ archiveDays: null, retentionHours: 8_760 });
    await world.pass(2 * 24 * HOUR_MS);
    expect(world.store.items().filter(({ pk }) => String(pk).startsWith("USAGE#"))).toEqual([]);
    await publish(world, 5, new Map());
    await world.pass(9 * HOUR_MS);
    const rows = () => world.store.items().filter(({ pk }) => String(pk).startsWith("USAGE#"));
    expect(rows()).toHaveLength(1);
    const sent = () => world.store.tally.get("sent.put");
    const before = sent();
    await world.pass(2 * 24 * HOUR_MS);
    expect(sent() - before).toBe(0);
  });

  it("[usage.exact] a repair of the numbering counts the events that it finds", async () => {
    const world = await openArchive({ archiveDays: null, retentionHours: 8_760 });
    const expected: Expected = new Map();
    await publish(world, 5, expected);
    await world.ledger.compact(defaultTenant, NAME);
    await publish(world, 4, expected);
    world.world.nowMs += 31 * 24 * HOUR_MS;
    await world.ledger.repairNumbering(defaultTenant, NAME);
    await publish(world, 2, expected);
    await world.ledger.compact(defaultTenant, NAME);
    const sum = [...expected.values()].reduce((total, { events }) => total + events, 0);
    const first = await publishedOf(world.ledger);
    const later = await publishedOf(world.ledger, Date.UTC(2026, 0, 31));
    const all = [...first, ...later].reduce((total, { published }) => total + published.events, 0);
    expect(all).toBe(sum);
    expect(first[0]?.published).toEqual([...expected.values()][0]);
  });
});
