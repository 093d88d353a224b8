import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createLedger, defaultTenant, LedgerError } from "../../../packages/core/src/index.ts";
import { SEED } from "../../support/seed.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

const HOUR_MS = 3_600_000;
const NAME = "orders";
const TABLE = "retention";

/**
 * A stream on a store whose rows expire; `meanwhile` runs before a request that its label names.
 */
async function openWorld(retentionHours: number, seed: number) {
  const world = { nowMs: Date.UTC(2026, 0, 1) };
  let meanwhile: ((label: string) => Promise<void>) | undefined;
  const store = createFakeDynamo({
    ...{ tableName: TABLE, seed, nowMs: () => world.nowMs },
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
    ...{ name: NAME, description: "", partitions: 1, compaction: "key", retentionHours },
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

describe("a stream whose retention changes", () => {
  it.each([1, 2, 3])(
    "[stream.patch] [retention.passed] is readable from its earliest event however rows expire after a longer one (%i)",
    async (n) => {
      const { world, ledger, store, publish, read, patch } = await openWorld(1, SEED + n);
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
        // Some of what is due, in any order, as DynamoDB does it.
        store.expireItems({ lateMs: 72 * HOUR_MS, limit: 2 });
        if (hour % 12 !== 0 && hour < 30 * 24) continue;
        const earliest = await read("earliest");
        expect(earliest.slice(-5), `hour ${hour}`).toEqual(later);
        for (const cursor of [cursors[0] ?? "", cursors[9] ?? ""]) {
          const rest = await read(cursor);
          if (rest !== "retention-passed") expect(rest.slice(-5), `hour ${hour}`).toEqual(later);
        }
      }
      expect(store.tally.all()["item.expired"]).toBeGreaterThan(19);
      expect(await read("earliest")).toEqual(later);
      expect(await read(cursors[0] ?? "")).toBe("retention-passed");
      expect(store.refusals).toEqual([]);
    },
  );

  it("[stream.patch] is read by a shorter one at once", async () => {
    const { world, ledger, publish, read, patch } = await openWorld(48, SEED);
    await publish(1);
    world.nowMs += 10 * HOUR_MS;
    await publish(2);
    await patch(1);
    world.nowMs += HOUR_MS / 2;
    await publish(3);
    await ledger.sweep();
    expect(await read("earliest")).toEqual([2, 3]);
    world.nowMs += 5 * HOUR_MS;
    await publish(4);
    await ledger.sweep();
    expect(await read("earliest")).toEqual([4]);
  });

  it("[retention.passed] lets events go in their time while compaction moves on without pause", async () => {
    const { world, ledger, publish, read, during } = await openWorld(1, SEED);
    for (let data = 0; data < 5; data++) await publish(data);
    await ledger.compact(defaultTenant, NAME);
    world.nowMs += 10 * HOUR_MS;
    let data = 100;
    // Whatever a sweep is about to write of the checkpoint, compaction has moved it just before.
    during(async (label) => {
      if (!/update .*CHECKPOINT/.test(label)) return;
      world.nowMs += 1;
      await publish(data++);
      await ledger.compact(defaultTenant, NAME);
    });
    const { floorsMoved } = await ledger.sweep();
    during(undefined);
    expect(data).toBeGreaterThan(100);
    expect(floorsMoved).toBe(1);
    expect((await read("earliest"))[0]).toBeGreaterThanOrEqual(100);
  });
});
