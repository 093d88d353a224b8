import { once } from "node:events";
import { LIMITS } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import { createLedger, defaultTenant } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const event = (key: string) => ({ attributes: { key }, data: "1" as never });

/**
 * Opens a ledger on its own table. `beforeSend` receives each request before it is sent, and may
 * let time pass, wait or throw.
 */
function openWorld() {
  const world = {
    nowMs: Date.UTC(2026, 0, 1),
    beforeSend: (_: string): void | Promise<void> => {},
  };
  const store = createFakeDynamo({
    tableName: "trouble",
    nowMs: () => world.nowMs,
    gate: async (label) => {
      const waits = label.startsWith("send") ? world.beforeSend(label) : undefined;
      if (waits !== undefined) await waits;
    },
  });
  const ledger = createLedger({
    client: store.client() as never,
    tableName: "trouble",
    clock: {
      now: () => world.nowMs,
      monotonic: () => world.nowMs,
      sleep: async (_, signal) => void (signal && (await once(signal, "abort"))),
    },
    random: seededRandom("trouble"),
    cursorKeys: [{ id: 1, secret: Buffer.from("trouble") }],
  });
  const createStream = async (name: string) => {
    const rest = { description: "", retentionHours: 1, archiveDays: null };
    const config = { name, partitions: 1, compaction: "key", ...rest } as const;
    await ledger.createStream(defaultTenant, config);
    await ledger.publish(defaultTenant, name, [event("k")]);
  };
  /** Returns partition keys of record batches, as a table stream would name them. */
  const rings = () =>
    store.items().flatMap(({ pk, sk }) => (/^SEQ#/.test(String(sk)) ? [String(pk)] : []));
  const fail = (of: RegExp, name: string) => {
    world.beforeSend = (label) => {
      if (of.test(label)) throw Object.assign(new Error(name), { name });
    };
  };
  return { world, ledger, createStream, rings, fail, store };
}

describe("a run that was frozen", () => {
  it("[compaction.now] a frozen run reports to its caller that more remains", async () => {
    const { world, ledger, createStream } = openWorld();
    await createStream("orders");
    let queries = 0;
    world.beforeSend = (label) => {
      if (label.includes(" query ") && ++queries === 2) world.nowMs += 2 * MINUTE_MS;
    };
    // The event was published two minutes ago.
    expect(await ledger.compact(defaultTenant, "orders")).toMatchObject({
      watermarkLag: { events: 1, seconds: 120 },
      done: false,
    });
    expect(await ledger.compact(defaultTenant, "orders")).toMatchObject({ keys: 1, done: true });
    world.nowMs += 5 * MINUTE_MS;
    const nothing = { events: 0, seconds: 0 };
    expect(await ledger.compact(defaultTenant, "orders")).toMatchObject({ watermarkLag: nothing });
  });

  it("a sweep counts the events and the keys that it has compacted, of all streams", async () => {
    const { ledger, createStream } = openWorld();
    for (const name of ["orders", "invoices"]) {
      await createStream(name);
      await ledger.publish(defaultTenant, name, [event("k"), event("other")]);
    }
    expect(await ledger.sweep()).toMatchObject({ partitions: 2, compactedEvents: 6, keys: 4 });
  });

  it("a sweep does not name a partition stuck whose stream is deleted before its floor moves", async () => {
    const { world, ledger, createStream } = openWorld();
    await createStream("orders");
    await ledger.compact(defaultTenant, "orders");
    world.nowMs += 150 * MINUTE_MS;
    let looks = 0;
    world.beforeSend = async (label) => {
      if (!/ get STREAM#.*CHECKPOINT/.test(label) || ++looks !== 2) return;
      await ledger.deleteStream(defaultTenant, "orders");
    };
    expect(await ledger.sweep()).toMatchObject({ partitions: 1, stuck: [] });
    expect(looks).toBeGreaterThan(1);
  });

  it("a frozen run leaves its work to the next ring, which it requests", async () => {
    const { world, ledger, createStream, rings } = openWorld();
    await createStream("orders");
    let queries = 0;
    world.beforeSend = (label) => {
      // The first query reads the end, and the second reads the events up to it.
      if (label.includes(" query ") && ++queries === 2) world.nowMs += 2 * MINUTE_MS;
    };
    const [partitionKey = ""] = rings();
    const rung = await ledger.ring([partitionKey]);
    expect(rung).toMatchObject({ stuck: [{ code: "paused" }], again: [partitionKey] });
    expect(rung.compactedEvents).toBe(0);
    const again = await ledger.ring(rung.again);
    expect(again).toMatchObject({ stuck: [], again: [], compactedEvents: 1 });
  });
});

describe("an ended life that is removed", () => {
  it("[cursor.reason] [stream.delete] a removed life leaves only its seals, so that its cursors are still recognised", async () => {
    const { world, ledger, createStream, store } = openWorld();
    const of = [defaultTenant, "orders"] as const;
    await createStream("orders");
    await ledger.createSubscription(...of, { name: "s", start: "bootstrap" });
    await ledger.publish(...of, [event("l")], { idempotencyKey: "once" });
    await ledger.compact(...of);
    const { cursor } = await ledger.browse(...of, { limit: 10 });
    await ledger.deleteStream(...of);
    world.nowMs += 60 * MINUTE_MS;
    expect(await ledger.sweep()).toMatchObject({ livesRemoved: 1, done: true });
    // What was used is still counted for the bills.
    const rows = store.items().filter(({ pk }) => !String(pk).startsWith("USAGE#"));
    const left = rows.map(({ pk, sk, k }) => [String(pk).split("#").at(-1), sk, k]);
    expect(left).toEqual([["P0", "SEQ#00000000000003", "seal"]]);
    await createStream("orders");
    const { code, facts } = await ledger.browse(...of, { from: cursor, limit: 10 }).then(
      () => ({ code: "read", facts: {} }),
      (error: { code: string; facts: object }) => error,
    );
    expect({ code, facts }).toMatchObject({
      code: "invalid-cursor",
      facts: { reason: "other-life" },
    });
  });
});

const REST_MS = 30 * MINUTE_MS;
const JOB = /REMOVAL/;

describe("the removal of an ended life", () => {
  it("a removal waits until the seals have been seen for half an hour, to the millisecond", async () => {
    const { world, ledger, createStream } = openWorld();
    await createStream("orders");
    await ledger.deleteStream(defaultTenant, "orders");
    for (const [passedMs, livesRemoved] of [
      [0, 0],
      [REST_MS - 1, 0],
      [1, 1],
    ] as const) {
      world.nowMs += passedMs;
      const swept = await ledger.sweep();
      expect(swept, `after ${passedMs} ms`).toMatchObject({ livesRemoved, stuck: [] });
      expect(swept.rowsRemoved > 0, `after ${passedMs} ms`).toBe(livesRemoved > 0);
    }
  });

  it("[stream.delete] a removal begins no sooner than the last chain is sealed", async () => {
    const { world, ledger, createStream, store, fail } = openWorld();
    await createStream("orders");
    fail(/ put STREAM#orders#.*SEQ#/, "AccessDeniedException");
    await expect(ledger.deleteStream(defaultTenant, "orders")).rejects.toThrow();
    world.beforeSend = () => {};
    world.nowMs += 60 * MINUTE_MS;
    const swept = await ledger.sweep();
    expect(swept).toMatchObject({ endsFinished: 1, livesRemoved: 0, rowsRemoved: 0 });
    const batches = store.items().filter(({ sk }) => String(sk).startsWith("SEQ#"));
    expect(batches.map(({ k }) => k)).toEqual([undefined, "seal"]);
  });

  it("a removal ends when its time is up, records its progress, and continues from there", async () => {
    const { world, ledger, createStream, store } = openWorld();
    await createStream("orders");
    const rows = 600;
    for (let n = 1; n < rows; n++) await ledger.publish(defaultTenant, "orders", [event("k")]);
    await ledger.deleteStream(defaultTenant, "orders");
    world.nowMs += 60 * MINUTE_MS;
    const noted = () => store.items().find(({ pk }) => pk === "REMOVAL")?.removed;
    let [pages, notes] = [0, 0];
    world.beforeSend = (label) => {
      if (/batch-?write/i.test(label)) pages++;
      if (/update/.test(label) && JOB.test(label)) notes++;
      // A page has 25 rows. The time is up after 22 of 24 pages.
      if (pages === 22) world.nowMs += MINUTE_MS;
    };
    const first = await ledger.sweep({ budgetMs: MINUTE_MS });
    expect(first).toMatchObject({ rowsRemoved: 550, livesRemoved: 0, done: false });
    expect(noted()).toBe(550);
    // Progress is recorded once at 500 rows and once at the end, not for each page.
    expect(notes).toBe(2);
    world.beforeSend = () => {};
    const rest = await ledger.sweep();
    expect(rest).toMatchObject({ rowsRemoved: 50, livesRemoved: 1, done: true });
  });

  it("a removal finds every subscription, although a list shows only a part", async () => {
    const { world, ledger, createStream, store } = openWorld();
    const of = [defaultTenant, "orders"] as const;
    await createStream("orders");
    const count = LIMITS.listMax + 1;
    for (let n = 0; n < count; n++) {
      await ledger.createSubscription(...of, { name: `s${n}`, start: "earliest" });
    }
    await ledger.deleteStream(...of);
    world.nowMs += 60 * MINUTE_MS;
    expect(await ledger.sweep()).toMatchObject({ livesRemoved: 1 });
    expect(store.items().filter(({ sk }) => /^(SUB|OFFSET)#/.test(String(sk)))).toEqual([]);
  });
});

describe("an ended life that cannot be removed", () => {
  it("a life that cannot be removed delays neither others nor the report of other failures", async () => {
    const { world, ledger, createStream, fail } = openWorld();
    for (const name of ["bad-end", "good-end", "bad-live", "good-live"]) await createStream(name);
    for (const name of ["bad-end", "good-end"]) await ledger.deleteStream(defaultTenant, name);
    world.nowMs += 60 * MINUTE_MS;
    fail(/STREAM#bad-[a-z]+#/, "AccessDeniedException");
    const swept = await ledger.sweep();
    expect(swept).toMatchObject({ livesRemoved: 1, compactedEvents: 1, done: false });
    expect(swept.stuck).toMatchObject([
      { stream: "bad-live", partition: 0, code: "store-misconfigured" },
      { stream: "bad-end", code: "store-misconfigured" },
    ]);
    world.beforeSend = () => {};
    expect(await ledger.sweep()).toMatchObject({ livesRemoved: 1, stuck: [], done: true });
  });
});

describe("a stream that no sweep has seen for weeks", () => {
  it.each(["the doorbell", "an operator"])(
    "the stream can be read from its earliest event when %s has it compacted",
    async (by) => {
      const { world, ledger, createStream, rings, store } = openWorld();
      await createStream("orders");
      const of = [defaultTenant, "orders"] as const;
      await ledger.createSubscription(...of, { name: "before", start: "earliest" });
      const compact = () => (by === "an operator" ? ledger.compact(...of) : ledger.ring(rings()));
      for (let week = 0; week < 6; week += 3) {
        world.nowMs += 3 * 7 * DAY_MS;
        await compact();
      }
      expect(store.expireItems({ lateMs: 0 })).toBe(1);
      await ledger.publish(...of, [event("k")]);
      const poll = (name: string) => ledger.poll(...of, name, { limit: 10 });
      await expect(poll("before")).rejects.toMatchObject({
        code: "retention-passed",
        facts: { earliestSequence: 2 },
      });
      await ledger.seek(...of, "before", { to: "earliest" });
      expect(await poll("before")).toMatchObject({ events: [{ sequence: 2 }], caughtUp: true });
    },
  );
});

describe("a long backlog on a slow store", () => {
  it("is compacted in parts, none of which becomes too old", async () => {
    const { world, ledger, store } = openWorld();
    const of = [defaultTenant, "orders"] as const;
    const rest = { description: "", retentionHours: 1, archiveDays: null };
    await ledger.createStream(defaultTenant, {
      name: "orders",
      partitions: 1,
      compaction: "key",
      ...rest,
    });
    const keys = 300;
    for (let n = 0; n < keys; n += 10) {
      await ledger.publish(
        ...of,
        Array.from({ length: 10 }, (_, k) => event(`k${n + k}`)),
      );
    }
    // Each row takes 300 ms of the clock: all of them longer than a section may take.
    world.beforeSend = (label) => {
      if (/ update STREAM#orders#.*COMPACT/.test(label)) world.nowMs += 300;
    };
    const budget = { budgetMs: 10 * MINUTE_MS };
    expect(await ledger.compact(...of, budget)).toMatchObject({
      compactedEvents: keys,
      done: true,
    });
    const rows = store.items().filter(({ sk }) => String(sk).startsWith("KEY#"));
    expect(rows.length).toBe(keys);
    // The budget also ends a run within a section, and completed work stays completed.
    for (let n = 0; n < keys; n += 10) {
      await ledger.publish(
        ...of,
        Array.from({ length: 10 }, (_, k) => event(`k${n + k}`)),
      );
    }
    const part = await ledger.compact(...of, { budgetMs: 20_000 });
    expect(part.done).toBe(false);
    expect(part.compactedEvents).toBeGreaterThanOrEqual(10);
    expect(part.compactedEvents).toBeLessThan(keys);
    expect(part.watermarkLag.events).toBe(keys - part.compactedEvents);
  });
});
