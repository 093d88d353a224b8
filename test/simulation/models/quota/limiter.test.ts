import { describe, expect, it } from "vitest";
import { LedgerError } from "../../../../packages/core/src/index.ts";
import { tenantOf } from "../../../../packages/core/src/model/names.ts";
import type { Limits, Rate } from "../../../../packages/core/src/model/quota.ts";
import { createLimiter } from "../../../../packages/core/src/quota/limiter.ts";
import { createTable } from "../../../../packages/core/src/table/table.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";

/** Opens servers that share one table and a clock. Time moves only by `pass`. */
function openServers(count: number, limits: Limits, of = "-") {
  const time = { nowMs: Date.UTC(2026, 0, 1) };
  const now = () => time.nowMs;
  const store = createFakeDynamo({ tableName: "quotas", seed: 1, nowMs: now });
  const clock = { now, monotonic: now, sleep: async () => {} };
  const tenant = tenantOf("acme");
  const tableOf = (seed: number) =>
    createTable({
      client: store.client() as never,
      table: "quotas",
      clock,
      random: seededRandom(seed),
    });
  const table = tableOf(0);
  const servers = Array.from({ length: count }, (_, n) =>
    createLimiter({ table: tableOf(n + 1), clock }),
  );
  const who = { tenant, keyId: of === "-" ? "root" : of, isLimited: of !== "-" };
  const set = () => table.quotas.set({ tenant, of, limits, buckets: {}, version: 1 });
  return { time, store, servers, who, set, table };
}

const admitted = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    (error: unknown) => {
      if (error instanceof LedgerError && error.code === "quota-exceeded") return false;
      throw error;
    },
  );

describe("quotas", () => {
  const SECONDS = 60;

  it.each([
    { name: "the same load", share: () => 1 },
    { name: "very different loads", share: (n: number) => (n === 0 ? 6 : 0.4) },
  ])("[quota.rate] ten servers with $name admit what one would, within 5 %", async ({ share }) => {
    const rate = 200;
    const { time, store, servers, who, set } = openServers(10, { requestsPerSecond: rate });
    await set();
    let passed = 0;
    const owed = servers.map(() => 0);
    // Three times as many requests as the quota allows, in steps of 50 ms.
    for (let step = 0; step < SECONDS * 20; step++) {
      time.nowMs += 50;
      for (const [n, server] of servers.entries()) {
        owed[n] = (owed[n] ?? 0) + (3 * rate * share(n)) / 10 / 20;
        for (; (owed[n] ?? 0) >= 1; owed[n] = (owed[n] ?? 0) - 1) {
          if (await admitted(server.take(who, { requestsPerSecond: 1 }))) passed++;
        }
      }
    }
    const updates = store.tally.get("sent.update");
    const reads = store.tally.get("sent.get");
    const cost = `${updates} updates, ${reads} reads`;
    console.info(`quota: ${passed} of ${rate * SECONDS} in ${SECONDS} s, ${cost}`);
    expect(updates).toBeLessThan(passed / 5);
    expect(passed).toBeGreaterThan(rate * SECONDS * 0.95);
    expect(passed).toBeLessThan(rate * SECONDS * 1.05);
  });

  it.each([
    { rate: "eventsPerSecond", size: 10 },
    { rate: "bytesPerSecond", size: 2_000 },
  ] as const)(
    "[quota.rate] ten servers admit publishes by $rate as one would, within 5 %",
    async ({ rate, size }) => {
      const limit = size * 50;
      const { time, servers, who, set } = openServers(10, { [rate]: limit });
      await set();
      let passed = 0;
      let refusedReads = 0;
      // Each server publishes 10 times a second, each time half or one and a half times the size.
      for (let step = 0; step < SECONDS * 10; step++) {
        time.nowMs += 100;
        for (const [n, server] of servers.entries()) {
          const amount = size * (0.5 + ((step + n) % 2));
          if (await admitted(server.take(who, { requestsPerSecond: 1, [rate]: amount }))) {
            passed += amount;
          }
          if (!(await admitted(server.take(who, { requestsPerSecond: 1 })))) refusedReads++;
        }
      }
      console.info(`quota: ${passed} of ${limit * SECONDS} ${rate} in ${SECONDS} s`);
      expect(refusedReads).toBe(0);
      expect(passed).toBeGreaterThan(limit * SECONDS * 0.95);
      expect(passed).toBeLessThan(limit * SECONDS * 1.05);
    },
  );

  it("[quota.rate] publishes count by events and bytes, and a request is all or nothing", async () => {
    const { servers, who, set, time } = openServers(1, {
      eventsPerSecond: 10,
      bytesPerSecond: 1e6,
    });
    await set();
    const [server] = servers;
    const publish = (events: number, bytes = 1) =>
      server?.take(who, { eventsPerSecond: events, bytesPerSecond: bytes }) ?? Promise.reject();
    expect(await admitted(publish(20))).toBe(true);
    expect(await admitted(publish(1))).toBe(false);
    // A request that only reads uses none of these.
    expect(await server?.take(who, { requestsPerSecond: 1 })).toEqual([]);
    time.nowMs += 1_000;
    expect(await admitted(publish(10))).toBe(true);
    time.nowMs += 2_000;
    // A publish that is larger than the quota of two seconds passes, and later requests pay for it.
    expect(await admitted(publish(100))).toBe(true);
    time.nowMs += 7_000;
    expect(await admitted(publish(1))).toBe(false);
    time.nowMs += 2_000;
    expect(await admitted(publish(1))).toBe(true);
  });

  it("[quota.exceeded] the problem names the quota, whose it is, and until when", async () => {
    const { servers, who, set, time } = openServers(1, { requestsPerSecond: 1 }, "k".repeat(12));
    await set();
    const take = () => servers[0]?.take(who, { requestsPerSecond: 1 });
    expect(await take()).toMatchObject([{ of: "key", limit: 1 }]);
    await take();
    const until = new Date(time.nowMs + 1_000).toISOString();
    const facts = { quota: "requestsPerSecond", of: "key", limit: 1, until };
    await expect(take()).rejects.toMatchObject({
      code: "quota-exceeded",
      facts,
      retryAfterSeconds: 1,
    });
  });

  it("[quota.cost] one update serves about a second of requests, and no quota costs nothing", async () => {
    const { servers, who, set, time, store } = openServers(1, { requestsPerSecond: 1_000 });
    const [server] = servers;
    const run = async (caller: typeof who, rates: readonly Rate[] = ["requestsPerSecond"]) => {
      const before = { ...counts() };
      for (let request = 0; request < 1_000; request++) {
        if (request % 100 === 0) time.nowMs += 1_000;
        await server?.take(caller, Object.fromEntries(rates.map((rate) => [rate, 1])));
      }
      return { reads: counts().reads - before.reads, writes: counts().writes - before.writes };
    };
    const counts = () => ({
      reads: store.tally.get("sent.get"),
      writes: store.tally.get("sent.update"),
    });
    expect(await run({ ...who, tenant: tenantOf("default") })).toEqual({ reads: 0, writes: 0 });
    expect(await run(who)).toEqual({ reads: 1, writes: 0 });
    await set();
    time.nowMs += 60_000;
    const { writes } = await run(who);
    console.info(`quota: ${writes} updates for 1,000 requests, 100 a second`);
    expect(writes).toBeLessThanOrEqual(20);
  });

  it("[quota.open] requests pass while the table does not answer", async () => {
    const { servers, who, set, time, store } = openServers(1, { requestsPerSecond: 1 });
    await set();
    store.setFaults(() => ({ "error-before": 1 }));
    for (let request = 0; request < 10; request++) {
      expect(await servers[0]?.take(who, { requestsPerSecond: 1 })).toEqual([]);
    }
    store.setFaults(() => ({}));
    time.nowMs += 1_000;
    expect(await servers[0]?.take(who, { requestsPerSecond: 1 })).toHaveLength(1);
  });

  it("[quota.open] administration does not pass while the table does not answer", async () => {
    const { servers, who, set, time, store } = openServers(1, { requestsPerSecond: 1 });
    await set();
    const administer = () =>
      servers[0]?.take(who, { requestsPerSecond: 1 }, { mustKnow: true }) ?? [];
    store.setFaults(() => ({ "error-before": 1 }));
    // A data request in between does not change that.
    await servers[0]?.take(who, { requestsPerSecond: 1 });
    for (let request = 0; request < 3; request++) {
      await expect(administer()).rejects.toMatchObject({ code: "store-unavailable" });
    }
    store.setFaults(() => ({}));
    time.nowMs += 1_000;
    expect(await administer()).toHaveLength(1);
  });
});
