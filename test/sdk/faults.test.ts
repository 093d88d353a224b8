import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  EventLedger,
  type LedgerEvent,
  LedgerProblem,
  memory,
} from "../../packages/sdk/src/index.ts";
import { sqlite } from "../../packages/sdk/src/stores/sqlite.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { SEED } from "../support/seed.ts";
import { openWithMovingClock } from "./moving-clock.ts";
import { collect, openStack, within } from "./stack.ts";
import { startUnreliableProxy } from "./unreliable-proxy.ts";

/**
 * These tests use the SDK over real HTTP, through a proxy that resets, delays, cuts, repeats and
 * loses requests.
 */
const { url, adminKey, ledger: direct, newStream } = await openStack();
const proxy = await startUnreliableProxy(url, seededRandom(SEED));
afterAll(() => proxy.stop());
const ledger = new EventLedger({
  url: proxy.url,
  apiKey: adminKey,
  retry: { baseMs: 5, maxMs: 50 },
});
const disturbed = async <T>(work: () => Promise<T>): Promise<T> => {
  proxy.setIntensity(0.2);
  try {
    return await work();
  } finally {
    proxy.setIntensity(0);
  }
};
const count = (most: number) => Array.from({ length: most }, (_, n) => n);
const lagOf = async (name: string, subscription: string) =>
  (await direct.stream(name).subscription(subscription).info()).lag.events;

describe("through an unreliable network", () => {
  it("a publisher publishes each event once, and a view has them all", async () => {
    const name = await newStream({ partitions: 2 });
    await disturbed(async () => {
      const stream = ledger.stream<number>(name);
      await using view = stream.view({ store: memory<number>() });
      await using out = stream.publisher({ eventsMax: 10, lingerMs: 1 });
      for (const n of count(400)) void out.add({ key: `k${n % 7}`, data: n });
      const last = out.add({ key: "last", data: -1 });
      await out.flush();
      const { key, id, sequence, cursor, life } = await last;
      await view.seen({ events: [{ key, id, sequence }], cursor, life });
      expect(Object.fromEntries(view.entries())).toEqual({
        ...Object.fromEntries(count(400).map((n) => [`k${n % 7}`, n])),
        last: -1,
      });
      expect(view.progress.round).toBe(1);
    });
    const seen = await collect(direct.stream<number>(name).read());
    expect(seen).toHaveLength(401);
    for (const [key, own] of Map.groupBy(seen, (event) => event.key)) {
      const expected = key === "last" ? [-1] : count(400).filter((n) => `k${n % 7}` === key);
      expect(own.map(({ data }) => data)).toEqual(expected);
    }
  });

  it("two replicas on one subscription share it, and keep each key's order", async () => {
    const name = await newStream({ partitions: 4 });
    await direct.stream(name).publish(count(160).map((n) => ({ key: `k${n % 12}`, data: n })));
    const seen: { replica: number; event: LedgerEvent<undefined, number> }[] = [];
    const busy = new Set<string>();
    const stopping = new AbortController();
    await disturbed(async () => {
      const running = [1, 2].map((replica) =>
        ledger
          .stream<number>(name)
          .subscription("work", { start: "earliest", leaseSeconds: 2 })
          .run(
            async (event) => {
              expect(busy).not.toContain(event.key);
              busy.add(event.key);
              await sleep(1);
              busy.delete(event.key);
              seen.push({ replica, event });
            },
            { concurrency: 4, limit: 20, signal: stopping.signal },
          )
          .catch((error: unknown) => error),
      );
      await vi.waitFor(async () => expect(await lagOf(name, "work")).toBe(0), {
        timeout: 50_000,
        interval: 100,
      });
      stopping.abort(new Error("enough"));
      for (const end of await Promise.all(running)) expect(end).toBe(stopping.signal.reason);
    });
    for (const n of count(12)) {
      const own = seen.filter(({ event }) => event.key === `k${n}`).map(({ event }) => event.data);
      const first = own.filter((data, index) => own.indexOf(data) === index);
      expect(first).toEqual(count(160).filter((each) => each % 12 === n));
    }
    expect(new Set(seen.map(({ replica }) => replica)).size).toBe(2);
  });

  it.each([["throw"], ["seek"]] as const)(
    "an operator's seek is not undone, with onLost: %s",
    async (onLost) => {
      const name = await newStream();
      const stream = direct.stream<number>(name);
      await stream.publish(count(50).map((n) => ({ key: `k${n % 3}`, data: n })));
      const seen: number[] = [];
      await disturbed(async () => {
        const work = ledger.stream<number>(name).subscription("work", { start: "earliest" });
        for await (const { events } of work.pages({
          limit: 10,
          onLost,
          signal: within(50_000),
        })) {
          seen.push(...events.map(({ data }) => data ?? -1));
          if (seen.length === 20) {
            // The operator skips the remaining events while a page is being processed.
            await stream.subscription("work").seek("latest");
            await stream.publish({ key: "k0", data: 100 });
          }
          if (seen.at(-1) === 100) break;
          expect(seen.length).toBeLessThanOrEqual(20);
        }
      });
      expect(seen).toEqual([...count(20), 100]);
    },
  );

  it("a subscription names the new life of a stream that is created again, and a view copies it", async () => {
    const name = await newStream();
    await direct.stream(name).publish(count(5).map((n) => ({ key: `old${n}`, data: n })));
    await disturbed(async () => {
      const stream = ledger.stream<number>(name);
      await using view = stream.view({ store: memory<number>() });
      await view.ready();
      const seen: [string, boolean][] = [];
      const work = stream.subscription("work", { start: "earliest" });
      for await (const page of work.pages({ signal: within(50_000) })) {
        seen.push(...page.events.map(({ key }): [string, boolean] => [key, page.isNewLife]));
        if (seen.length === 5) {
          await direct.deleteStream(name);
          await direct.createStream(name);
          await direct.stream(name).publish({ key: "fresh", data: 1 });
        }
        if (seen.length > 5) break;
      }
      expect(seen.at(-1)).toEqual(["fresh", true]);
      while (view.get("fresh") === undefined) await sleep(20);
      expect(Object.fromEntries(view.entries())).toEqual({ fresh: 1 });
    });
  });

  it("a view that was ended within the list continues it, and lists once", async () => {
    const name = await newStream();
    for (const part of [0, 1]) {
      await direct
        .stream(name)
        .publish(count(550).map((n) => ({ key: `k${part * 550 + n}`, data: n })));
    }
    await direct.stream(name).compact();
    const before = proxy.requests.length;
    const database = new DatabaseSync(":memory:");
    await disturbed(async () => {
      for (let starts = 0; ; starts++) {
        const view = ledger.stream<number>(name).view({ store: sqlite<number>(database) });
        while (view.progress.applied === 0 && view.status !== "live") await sleep(1);
        if (starts < 2) {
          await view.close();
          continue;
        }
        await view.ready();
        expect([...view.entries()]).toHaveLength(1_100);
        expect(view.progress.round).toBe(1);
        await view.close();
        break;
      }
    });
    const lists = proxy.requests.slice(before).filter(({ url }) => url.includes("/compacted?"));
    // All repetitions of a lost request have the same URL: the first page, and each of four parts.
    expect(new Set(lists.map(({ url }) => url)).size).toBe(5);
  });
});

describe("a key that is revoked", () => {
  it("ends a subscription, fails a view and a publish, and another key continues", async () => {
    const name = await newStream();
    const stream = direct.stream<number>(name);
    await stream.publish({ key: "a", data: 1 });
    const made = await direct.request<{ id: string; apiKey: string }>({
      method: "POST",
      path: "/keys",
      body: { name: "worker", scopes: ["publish", "consume", "read"], streams: [name] },
    });
    let { apiKey } = made;
    const client = new EventLedger({ url: proxy.url, apiKey: () => apiKey, wait: 1 });
    const own = client.stream<number>(name);
    await using view = own.view({ store: memory<number>() });
    await view.ready();
    const running = own.subscription("work", { start: "earliest" }).run(() => {});
    const ended = expect(running).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "unauthorized"),
    );
    await direct.request({ method: "DELETE", path: `/keys/${made.id}` });
    await ended;
    await expect(own.publish({ key: "a", data: 2 })).rejects.toMatchObject({
      code: "unauthorized",
      maybeWritten: false,
    });
    while (view.status !== "failed") await sleep(20);
    expect(view.failure).toMatchObject({ code: "unauthorized" });
    expect(view.get("a")).toBe(1);
    apiKey = adminKey;
    await own.publish({ key: "a", data: 3 });
    while (view.get("a") !== 3) await sleep(20);
    expect(view.status).toBe("live");
  });
});

describe("retention that has passed", () => {
  it("ends a subscription or is skipped by it, and a view catches up by the difference", async () => {
    const clock = await openWithMovingClock();
    const stream = clock.ledger.stream<number>("orders");
    await clock.ledger.createStream("orders", { retentionHours: 1 });
    const database = new DatabaseSync(":memory:");
    await stream.publish([1, 2, 3].map((n) => ({ key: `k${n}`, data: n })));
    {
      await using view = stream.view({ store: sqlite<number>(database) });
      await view.ready();
    }
    const work = stream.subscription("work", { start: "earliest" });
    await work.create();
    await stream.publish({ key: "k2", data: 20 });
    await stream.delete("k3");
    await stream.compact();
    // The list delays the removal of later events for a while, so that its reader can continue.
    clock.pass(30);
    await stream.publish({ key: "k4", data: 4 });
    await clock.sweep();

    const strict = work.pages({ signal: within(50_000) }).next();
    await expect(strict).rejects.toSatisfy((error) => LedgerProblem.is(error, "retention-passed"));
    const seen = new Map<string, number | null>();
    for await (const page of work.pages({ onLost: "seek", signal: within(50_000) })) {
      for (const { key, data } of page.events) seen.set(key, data);
      if (seen.has("k4")) break;
    }
    expect(Object.fromEntries(seen)).toMatchObject({ k1: 1, k2: 20, k4: 4 });

    await using view = stream.view({ store: sqlite<number>(database) });
    await view.ready();
    // No new round was needed.
    expect(view.progress.round).toBe(1);
    expect(Object.fromEntries(view.entries())).toEqual({ k1: 1, k2: 20, k4: 4 });
  });
});

describe("a server that is away", () => {
  it("is asked rarely by all loops together, and each continues once it returns", async () => {
    const name = await newStream();
    const client = new EventLedger({ url: proxy.url, apiKey: adminKey });
    const stream = client.stream<number>(name);
    await using view = stream.view({ store: memory<number>() });
    await view.ready();
    const seen: number[] = [];
    const stopping = new AbortController();
    const running = stream
      .subscription("work", { start: "earliest" })
      .run(({ data }) => seen.push(data ?? -1), { signal: stopping.signal });
    const reading = (async () => {
      for await (const { data } of stream.read({ follow: true, signal: stopping.signal })) {
        if (data === 3) return;
      }
    })();
    await using out = stream.publisher();
    void out.add({ key: "a", data: 1 });
    await out.flush();
    while (view.get("a") !== 1) await sleep(5);
    proxy.setAway(true);
    const before = proxy.requests.length;
    void out.add({ key: "a", data: 2 });
    void out.add({ key: "b", data: 3 });
    await sleep(3_000);
    const asked = proxy.requests.length - before;
    const shown = [view.status, view.get("a")];
    proxy.setAway(false);
    // The pauses are 100, 200, 400 ms and so on. Another test counts the whole minute with a
    // virtual clock.
    expect(asked).toBeLessThanOrEqual(10);
    expect(shown).toEqual(["stale", 1]);
    await out.flush();
    await reading;
    while (view.get("b") !== 3) await sleep(20);
    while (seen.length < 3) await sleep(20);
    expect(view.status).toBe("live");
    expect(seen).toEqual([1, 2, 3]);
    stopping.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });
});
