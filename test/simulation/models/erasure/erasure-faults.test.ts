import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { SEED } from "../../../support/seed.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS, HOUR_MS, NAME, openArchive } from "../archive/archive-world.ts";
import { killAt, untilKilled } from "../archive/kill.ts";
import {
  afterErasing,
  begin,
  finish,
  KEY,
  leftOf,
  openErasable,
  segmentsIn,
} from "./erasure-world.ts";

describe.each(["before", "after"] as const)("an erasure that is killed %s a request", (when) => {
  it.each(["request", "sweep"] as const)(
    "[erase.receipt] ends all the same: in its %s",
    {
      timeout: 120_000,
    },
    async (where) => {
      const saved = (await openErasable()).save();
      for (let at = 0; ; at++) {
        const opened = await openArchive({ seed: 2, from: saved });
        const { openLedger, ledger, readAll, bucket, rows } = opened;
        const before = await readAll("earliest");
        const { through, isDead } = killAt(at, when);
        const killed = openLedger(2, through);
        if (where === "sweep") await begin(ledger);
        const work = where === "sweep" ? killed.sweepErasures({ budgetMs: 60_000 }) : begin(killed);
        await untilKilled(work, isDead);
        await finish(opened);
        const { erasures } = await ledger.listErasures(defaultTenant, NAME, { limit: 10 });
        expect(erasures.length).toBeLessThanOrEqual(1);
        // A request that was killed before it was durable has erased nothing.
        if (erasures.length === 0) continue;
        expect(leftOf(opened), `request ${at}`).toEqual([]);
        const after = await readAll("earliest");
        expect(after.slice(0, before.length)).toEqual(afterErasing(before));
        expect(after.slice(before.length).map(({ erasure }) => erasure)).toEqual([erasures[0]?.id]);
        const verified = await ledger.verifyArchive(defaultTenant, NAME, undefined);
        expect(verified.fault).toBeNull();
        const named = rows("SEGMENT#").map((row) => {
          const { rewritten, object } = row as { rewritten?: { object: string }; object: string };
          return rewritten?.object ?? object;
        });
        expect(new Set(segmentsIn(bucket).map(([name]) => name)), `request ${at}`).toEqual(
          new Set(named),
        );
        if (!isDead()) break;
      }
    },
  );
});

describe("erasures at the same time", () => {
  it("[erase.limit] a hundred of a stream are open, and one more is refused and changes nothing", async () => {
    const { ledger } = await openArchive();
    for (let number = 0; number < 100; number++) await begin(ledger, `k${number}`);
    const refused = begin(ledger, "one more");
    await expect(refused).rejects.toMatchObject({ code: "too-many-erasures" });
    const page = await ledger.listErasures(defaultTenant, NAME, { limit: 200 });
    expect(page.erasures.map(({ key }) => key)).not.toContain("one more");
    expect(page.erasures).toHaveLength(100);
  });

  it.each([1, 2, 3])("[erase.data] of several keys, with faults of the bucket (%i)", async (n) => {
    const opened = await openErasable(SEED + n);
    const { openLedger, ledger, readAll, bucket } = opened;
    const keys = ["k1", "k2", "k3"];
    const before = await readAll("earliest");
    const random = seededRandom(SEED + n);
    bucket.setFaults(() => ({ "slow-down": 0.1, twice: 0.1, "timeout-after": 0.1 }));
    for (const key of keys) await begin(ledger, key);
    const sweepers = [openLedger(2), openLedger(3)];
    for (let round = 0; round < 5; round++) {
      await Promise.all(sweepers.map((each) => each.sweepErasures({ budgetMs: 60_000 })));
      opened.world.nowMs += random.pick([1, HOUR_MS / 4]);
    }
    bucket.setFaults();
    await finish(opened);
    expect(leftOf(opened, keys)).toEqual([]);
    const after = await readAll("earliest");
    expect(after.slice(0, before.length)).toEqual(afterErasing(before, keys));
    expect(after).toHaveLength(before.length + keys.length);
    const verified = await ledger.verifyArchive(defaultTenant, NAME, undefined);
    expect(verified.fault).toBeNull();
  });
});

describe("the check of an erasure", () => {
  it("[erase.verify] finds data that is back, in a batch, an object and the state", async () => {
    const opened = await openErasable();
    const { ledger, store, bucket, rows } = opened;
    await ledger.compact(defaultTenant, NAME);
    const states = () => store.items().filter(({ sk }) => sk === `KEY#${KEY}`);
    const [batches, segments, [state]] = [rows("SEQ#"), rows("SEGMENT#"), states()];
    const objects = new Map(bucket.stored);
    const { id } = await begin(ledger);
    await finish(opened);
    const verify = () => ledger.verifyErasure(defaultTenant, NAME, id, undefined);
    expect(await verify()).toMatchObject({ found: null, cursor: null });
    const [erasedState] = states();
    if (state === undefined || erasedState === undefined) throw new Error("no state");
    store.load([state]);
    expect((await verify()).found).toMatchObject({ where: "state" });
    store.load([erasedState]);
    const now = rows("SEQ#");
    store.load(batches);
    expect((await verify()).found).toMatchObject({ where: "table", sequence: 3 });
    store.load(now);
    const [segment] = segments;
    if (segment === undefined) throw new Error("no segment");
    const present = rows("SEGMENT#").find(({ sk }) => sk === segment.sk);
    bucket.stored.set(String(segment.object), objects.get(String(segment.object)) as never);
    store.load([segment]);
    expect((await verify()).found).toMatchObject({ where: "archive", sequence: 3 });
    store.load([present as never]);
    expect((await verify()).found).toBeNull();
  });
});

describe("an erasure of a locked archive", () => {
  it("[erase.memory] a process reads a former object for a minute at most", async () => {
    const opened = await openErasable();
    const { ledger, openLedger, world, publish, readAll, pass } = opened;
    await ledger.patchStream(defaultTenant, NAME, {
      archiveDays: 3_650,
      archiveLock: "governance",
    });
    await publish(20, 100);
    await ledger.archive(defaultTenant, NAME);
    await pass(12 * DAY_MS, 6 * HOUR_MS);
    const reader = openLedger(2);
    const before = await readAll("90", { by: reader });
    await begin(ledger);
    expect(await ledger.sweepErasures({ budgetMs: 60_000 })).toEqual([]);
    const kept = await readAll("90", { by: reader });
    expect(kept.slice(0, -1)).toEqual(before);
    world.nowMs += 60_000;
    const now = await readAll("90", { by: reader });
    expect(now.slice(0, -1)).toEqual(afterErasing(before));
  });

  it("[erase.lock] hides the data at once, and ends when the lock does", async () => {
    const opened = await openErasable();
    const { ledger, world, publish, readAll, pass } = opened;
    await ledger.patchStream(defaultTenant, NAME, {
      archiveDays: 3_650,
      archiveLock: "governance",
    });
    await publish(20, 100);
    await ledger.archive(defaultTenant, NAME);
    const before = await readAll("earliest");
    const { id } = await begin(ledger);
    for (let hour = 0; hour < 4; hour++) {
      await pass(HOUR_MS);
      expect(await ledger.sweepErasures({ budgetMs: 60_000 })).toEqual([]);
    }
    const waiting = await ledger.getErasure(defaultTenant, NAME, id);
    expect(waiting.status).toBe("erasing");
    const doneFrom = Date.parse(waiting.doneFrom ?? "");
    expect(doneFrom).toBeGreaterThan(world.nowMs + 3_600 * DAY_MS);
    expect(afterErasing(before)).toEqual((await readAll("earliest")).slice(0, -1));
    expect(await ledger.verifyErasure(defaultTenant, NAME, id, undefined)).toMatchObject({
      found: null,
      segments: 4,
    });
    const kept = leftOf(opened);
    expect(kept).toHaveLength(1);
    world.nowMs = doneFrom - HOUR_MS;
    await ledger.sweepErasures({ budgetMs: 60_000 });
    expect(leftOf(opened)).toEqual(kept);
    world.nowMs = doneFrom + HOUR_MS;
    expect(await ledger.sweepErasures({ budgetMs: 60_000 })).toEqual([]);
    expect(leftOf(opened)).toEqual([]);
    expect((await ledger.getErasure(defaultTenant, NAME, id)).status).toBe("done");
  });
});

describe("the proof of a rewritten segment", () => {
  it("[erase.archive] a changed object, record or proof is found", async () => {
    const opened = await openErasable();
    const { ledger, store, bucket, rows } = opened;
    await begin(ledger);
    await finish(opened);
    const verify = () => ledger.verifyArchive(defaultTenant, NAME, undefined);
    expect((await verify()).fault).toBeNull();
    const row = rows("SEGMENT#").find((each) => each.rewritten !== undefined);
    const rewritten = row?.rewritten as { object: string; sha256: string };
    const object = bucket.stored.get(rewritten.object);
    if (row === undefined || object === undefined) throw new Error("nothing was rewritten");
    bucket.stored.set(rewritten.object, { ...object, body: object.body.slice(0, -1) });
    expect((await verify()).fault).toMatchObject({ reason: "changed" });
    bucket.stored.set(rewritten.object, object);
    const spoil = async (change: object) => {
      store.load([{ ...row, ...change } as never]);
      const { fault } = await verify();
      store.load([row]);
      return fault?.reason;
    };
    expect(await spoil({ proof: "0".repeat(64) })).toBe("out-of-chain");
    const forged = { ...rewritten, sha256: "0".repeat(64) };
    expect(await spoil({ rewritten: forged })).toBe("out-of-chain");
    expect((await verify()).fault).toBeNull();
  });
});
