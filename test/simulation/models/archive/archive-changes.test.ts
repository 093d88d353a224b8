import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import { DEPTH } from "../../../support/depth.ts";
import { SEED } from "../../../support/seed.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS, HOUR_MS, NAME, numbersOf, openArchive } from "./archive-world.ts";

type World = Awaited<ReturnType<typeof openArchive>>;
const RUNS = Number(process.env.ARCHIVE_RUNS ?? DEPTH);
const rate = 0.1;

/**
 * The bucket refuses, conflicts, loses answers and repeats requests: 503, 409, 412 and time-outs.
 */
const disturb = ({ bucket }: World) =>
  bucket.setFaults(() => ({
    "slow-down": rate,
    conflict: rate,
    twice: rate,
    "error-after": rate,
    "timeout-after": rate,
  }));

/** Returns the numbers from a first one to the last published one, without a gap. */
const upFrom = (published: readonly number[], first: number) => published.slice(first - 1);

describe("an archive while everything changes", () => {
  it.each(Array.from({ length: RUNS }, (_, n) => n))(
    "[archive.floor] readers see the same events from the first to the last, whatever is removed when (%i)",
    {
      timeout: 120_000,
    },
    async (n) => {
      const random = seededRandom(`${SEED}/changes/${n}`);
      // The first batches have a time to live, because the archive begins after them.
      const world = await openArchive({ seed: SEED + n, archiveDays: null, retentionHours: 40 });
      const { ledger, openLedger, publish, patch, store, readAll, published } = world;
      for (let batch = 0; batch < 10; batch++) await publish(random.between(1, 10), 200);
      await patch(3_650);
      disturb(world);
      const archivers = [openLedger(2), openLedger(3)];
      const check = async (by: Ledger) => {
        const first = random.between(1, published.length);
        const events = await readAll(String(first), { by, limit: random.between(3, 60) }).catch(
          () => undefined,
        );
        if (events !== undefined) expect(numbersOf(events)).toEqual(upFrom(published, first));
      };
      for (let step = 0; step < 30; step++) {
        await publish(random.between(1, 20), 200);
        world.world.nowMs += random.between(1, 40) * HOUR_MS;
        if (random.chance(0.3)) {
          const retentionHours = random.between(1, 200);
          await ledger.patchStream(defaultTenant, NAME, { retentionHours });
        }
        await Promise.all([
          ...archivers.map((by) => by.sweep()),
          check(archivers[0] as Ledger),
          (async () => store.expireItems({ lateMs: 0, limit: random.between(0, 3) }))(),
        ]);
        store.expireItems({ lateMs: 0, limit: 2 });
        await check(archivers[1] as Ledger);
      }
      world.bucket.setFaults();
      await world.pass(40 * DAY_MS, DAY_MS);
      expect(world.rows("SEQ#").length).toBeLessThan(10);
      expect(numbersOf(await readAll("earliest"))).toEqual(published);
      const verified = await ledger.verifyArchive(defaultTenant, NAME, undefined);
      expect(verified).toMatchObject({ fault: null, cursor: null, events: published.length });
    },
  );

  it("[export.archive] an export has every event once while they are archived and leave the table", {
    timeout: 120_000,
  }, async () => {
    const world = await openArchive({ retentionHours: 1 });
    const { ledger, openLedger, publish, bucket, published } = world;
    for (let n = 0; n < 25; n++) await publish(10, 100_000);
    let calls = 0;
    // Every other object of the export fails, so that it takes several runs.
    const exporter = openLedger(2, async (run, name) => {
      if (name.startsWith("create") && calls++ % 2 === 0) throw new Error("held");
      return run();
    });
    const asked = { view: "log", format: "ndjson" } as const;
    await exporter.createExport(defaultTenant, NAME, asked).catch(() => {});
    const id = String(world.store.items().find(({ pk }) => pk === "EXPORTS")?.id);
    const wanted = [...published];
    for (let step = 0, status = "running"; status === "running"; step++) {
      expect(step).toBeLessThan(40);
      await publish(1);
      world.world.nowMs += (step < 10 ? 1 : 6) * HOUR_MS;
      const [answer] = await Promise.all([
        exporter.getExport(defaultTenant, NAME, id, { limit: 100 }).catch(() => undefined),
        ledger.sweep(),
      ]);
      world.store.expireItems({ lateMs: 0 });
      status = answer?.status ?? "running";
    }
    const { parts, status } = await ledger.getExport(defaultTenant, NAME, id, { limit: 100 });
    expect(status).toBe("done");
    const numbers = parts.flatMap(({ object }) => {
      const text = gunzipSync(bucket.stored.get(object)?.body ?? new Uint8Array()).toString();
      const lines = text.trimEnd().split("\n");
      return lines.map((line): number => JSON.parse(line).data.number);
    });
    expect(numbers).toEqual(wanted);
    expect(parts.length).toBeGreaterThan(2);
    expect(world.coldReads()).toBeGreaterThan(0);
  });

  it("[archive.floor] goes on although the loser of a race may not remove its object", async () => {
    const world = await openArchive({});
    const { ledger, openLedger, publish, published, readAll } = world;
    await publish(10);
    await ledger.compact(defaultTenant, NAME);
    let removals = 0;
    let overtaken = false;
    // While the router writes its object, the sweeper archives a longer range from the same event
    // on.
    const router = openLedger(2, async (run, name) => {
      if (name.startsWith("remove")) {
        removals++;
        throw new Error("AccessDenied");
      }
      if (name.startsWith("create") && !overtaken) {
        overtaken = true;
        await publish(10);
        await ledger.compact(defaultTenant, NAME);
        await ledger.archive(defaultTenant, NAME);
      }
      return run();
    });
    expect(await router.archive(defaultTenant, NAME)).toMatchObject({ done: true });
    expect(removals).toBe(1);
    expect(numbersOf(await readAll("earliest"))).toEqual(published);
  });

  it("[archive.floor] goes on when another loser of its race removes the object that both wrote", async () => {
    const world = await openArchive({});
    const { ledger, openLedger, publish, published, readAll, bucket } = world;
    await publish(10);
    await ledger.compact(defaultTenant, NAME);
    let overtaken = false;
    const router = openLedger(2, async (run, name) => {
      if (name.startsWith("head") && !overtaken) {
        overtaken = true;
        const both = [...bucket.stored.keys()];
        await publish(10);
        await ledger.compact(defaultTenant, NAME);
        await ledger.archive(defaultTenant, NAME);
        for (const object of both) bucket.stored.delete(object);
      }
      return run();
    });
    expect(await router.archive(defaultTenant, NAME)).toMatchObject({ done: true });
    expect(overtaken).toBe(true);
    expect(numbersOf(await readAll("earliest"))).toEqual(published);
  });

  it("[archive.floor] nothing is archived when the bucket loses the object", async () => {
    const { ledger, openLedger, publish, bucket, rows } = await openArchive({});
    await publish(10);
    await ledger.compact(defaultTenant, NAME);
    const router = openLedger(2, async (run, name) => {
      if (name.startsWith("head")) bucket.stored.clear();
      return run();
    });
    await expect(router.archive(defaultTenant, NAME)).rejects.toThrow(
      /the bucket keeps the object/,
    );
    expect(rows("SEGMENT#")).toEqual([]);
  });
});
