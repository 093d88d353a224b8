import { describe, expect, it } from "vitest";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import { SEED } from "../../../support/seed.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS, HOUR_MS, NAME, numbersOf, openArchive } from "./archive-world.ts";
import { killAt, untilKilled } from "./kill.ts";

/**
 * Opens a stream for which all work of an archiver is due in one visit: a segment, an expiry and
 * rows to remove.
 */
async function openBusy() {
  const opened = await openArchive({ archiveDays: 20 });
  const { publish, pass, world } = opened;
  await publish(20, 100);
  await pass(2 * HOUR_MS);
  for (let days = 0; days < 21; days += 3) {
    world.nowMs += 3 * DAY_MS;
    await opened.ledger.compact(defaultTenant, NAME);
  }
  await publish(20, 100);
  await opened.ledger.compact(defaultTenant, NAME);
  return opened;
}

describe.each(["before", "after"] as const)("an archiver that is killed %s a request", (when) => {
  it("[archive.floor] leaves every event readable and a complete archive", {
    timeout: 60_000,
  }, async () => {
    for (let at = 0; ; at++) {
      const { openLedger, ledger, readAll, pass, published, bucket, rows } = await openBusy();
      const { through, isDead } = killAt(at, when);
      await untilKilled(openLedger(2, through).sweep(), isDead);
      const kept = numbersOf(await readAll("earliest"));
      expect([published, published.slice(20)]).toContainEqual(kept);
      await pass(3 * HOUR_MS);
      expect(numbersOf(await readAll("earliest"))).toEqual(published.slice(20));
      const named = new Set(rows("SEGMENT#").map(({ object }) => object));
      expect(new Set(bucket.stored.keys()), `request ${at}`).toEqual(named);
      expect(await ledger.verifyArchive(defaultTenant, NAME, undefined)).toMatchObject({
        fault: null,
        events: 20,
      });
      if (!isDead()) break;
    }
  });
});

describe("a bucket with faults", () => {
  const rate = 0.15;
  it.each([1, 2, 3])(
    "[archive.read] no reader notices lost answers, refusals and repeats (%i)",
    async (n) => {
      const { openLedger, publish, store, bucket, world, readAll, published } = await openArchive({
        seed: SEED + n,
      });
      const random = seededRandom(SEED + n);
      bucket.setFaults(() => ({
        "slow-down": rate,
        conflict: rate,
        damaged: rate,
        twice: rate,
        "error-after": rate / 2,
        "reset-before": rate / 2,
        "timeout-after": rate / 2,
      }));
      const archivers = [openLedger(2), openLedger(3)];
      let read = 0;
      const readOn = async (by: Ledger, from: string): Promise<void> => {
        const events = await readAll(from, { by, limit: 25 }).catch(() => undefined);
        if (events === undefined) return;
        expect(numbersOf(events)).toEqual(published.slice(Number(from) - 1));
        read++;
      };
      for (let step = 0; step < 25; step++) {
        await publish(random.between(1, 30), 200);
        world.nowMs += HOUR_MS * random.between(1, 30);
        const sequence = String(random.between(1, published.length));
        await Promise.all([
          ...archivers.map((by) => by.sweep()),
          readOn(archivers[1] as Ledger, sequence),
        ]);
        store.expireItems({ lateMs: 0, limit: 3 });
        await readOn(archivers[0] as Ledger, sequence);
      }
      expect(read).toBeGreaterThan(5);
      bucket.setFaults();
      await archivers[0]?.archive(defaultTenant, NAME);
      expect(numbersOf(await readAll("earliest"))).toEqual(published);
      const verified = await archivers[0]?.verifyArchive(defaultTenant, NAME, undefined);
      expect(verified).toMatchObject({ fault: null, cursor: null, events: published.length });
    },
  );
});
