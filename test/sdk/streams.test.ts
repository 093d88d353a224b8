import { describe, expect, it, vi } from "vitest";
import { LedgerProblem, memory, rawJson } from "../../packages/sdk/src/index.ts";
import { collect, openStack, within } from "./stack.ts";

const { ledger, connect, newStream } = await openStack();

const count = (most: number) => Array.from({ length: most }, (_, n) => n);

describe("publishing", () => {
  it("answers the number of each event, with its key", async () => {
    const orders = ledger.stream<{ n: number }>(await newStream());
    const receipt = await orders.publish([
      { key: "a", type: "placed", data: { n: 1 } },
      { key: "b", data: { n: 2 } },
    ]);
    expect(receipt.events).toMatchObject([
      { key: "a", sequence: 1 },
      { key: "b", sequence: 2 },
    ]);
    expect((await orders.delete("a")).events).toMatchObject([{ key: "a", sequence: 3 }]);
    const events = await collect(orders.read());
    expect(events).toMatchObject([
      { key: "a", type: "placed", isDeletion: false, data: { n: 1 } },
      { key: "b", data: { n: 2 } },
      { key: "a", isDeletion: true, data: null },
    ]);
  });

  it("publishes a name once", async () => {
    const orders = ledger.stream(await newStream());
    const first = await orders.publish({ key: "a", data: 1 }, { idempotencyKey: "row-1" });
    const second = await orders.publish({ key: "a", data: 1 }, { idempotencyKey: "row-1" });
    expect(second).toEqual(first);
    const other = orders.publish({ key: "a", data: 2 }, { idempotencyKey: "row-1" });
    await expect(other).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "idempotency-key-reused"),
    );
  });

  it("collects events into requests, in order", async () => {
    const requests: string[] = [];
    const counted = connect({
      onRequest: ({ method, path }) => requests.push(`${method} ${path}`),
    });
    const orders = counted.stream<number>(await newStream({ partitions: 4 }));
    {
      await using out = orders.publisher({ eventsMax: 50 });
      const added = count(400).map((n) => out.add({ key: `k${n % 3}`, data: n }));
      await out.flush();
      expect(await Promise.all(added)).toHaveLength(400);
    }
    expect(requests.length).toBeLessThanOrEqual(9);
    const events = await collect(orders.read());
    for (const [key, own] of Map.groupBy(events, (event) => event.key)) {
      expect(own.map(({ data }) => data)).toEqual(count(400).filter((n) => `k${n % 3}` === key));
    }
  });

  it("gives up the event that is at fault, and publishes the others", async () => {
    const orders = ledger.stream(await newStream());
    const out = orders.publisher();
    const good = out.add({ key: "a", data: 1 });
    const bad = out.add({ key: "", data: 2 });
    const later = out.add({ key: "a", data: 3 });
    await expect(out.flush()).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "invalid-request"),
    );
    await expect(bad).rejects.toThrow("/events/1/key");
    expect([(await good).sequence, (await later).sequence]).toEqual([1, 2]);
    await out.close();
    await expect(out.add({ key: "a", data: 4 })).rejects.toThrow("closed");
  });
});

describe("numbers", () => {
  const text = '{"id":9007199254740993,"price":1.10,"small":7}';

  it.each([
    ["double", { id: 9007199254740992, price: 1.1, small: 7 }],
    ["bigint", { id: 9007199254740993n, price: 1.1, small: 7 }],
    ["text", { id: "9007199254740993", price: "1.10", small: "7" }],
  ] as const)("[data.fidelity] arrive as %s", async (numbers, data) => {
    const stream = connect({ numbers }).stream(await newStream());
    await stream.publish({ key: "a", data: rawJson(text) });
    await stream.compact();
    const [event] = await collect(stream.read());
    expect(event).toMatchObject({ sequence: 1, data });
    await using view = stream.view({ store: memory() });
    await view.ready();
    expect(view.get("a")).toEqual(data);
  });

  it("[data.fidelity] go out as bigints", async () => {
    const stream = connect({ numbers: "bigint" }).stream(await newStream());
    await stream.publish({ key: "a", data: [9007199254740993n, 1n] });
    expect(await collect(stream.read())).toMatchObject([{ data: [9007199254740993n, 1] }]);
  });
});

describe("a subscription", () => {
  it("commits a page when the next one is asked for", async () => {
    const stream = ledger.stream<number>(await newStream());
    await stream.publish(count(5).map((n) => ({ key: "k", data: n })));
    const work = stream.subscription("work", { start: "earliest" });
    const seen: number[] = [];
    for await (const { events } of work.pages({ limit: 2, signal: within(50_000) })) {
      seen.push(...events.map(({ data }) => data ?? -1));
      if (seen.length === 4) break;
    }
    // The page at which the loop was left counts as not processed.
    expect((await work.info()).lag.events).toBe(3);
    const again = stream.subscription("work");
    for await (const { events } of again.pages({ signal: within(50_000) })) {
      expect(events.map(({ data }) => data)).toEqual([2, 3, 4]);
      break;
    }
  });

  it("hands events to a handler, one of a key at a time, and parks what fails", async () => {
    const stream = ledger.stream<number>(await newStream());
    await stream.publish(count(60).map((n) => ({ key: `k${n % 6}`, data: n })));
    const work = stream.subscription("work", { start: "earliest" });
    const controller = new AbortController();
    const busy = new Set<string>();
    const done: number[] = [];
    let most = 0;
    const running = work.run(
      async ({ key, data }) => {
        expect(busy).not.toContain(key);
        busy.add(key);
        most = Math.max(most, busy.size);
        await new Promise((resolve) => setTimeout(resolve, 1));
        busy.delete(key);
        if (data === 13) throw new Error("no such customer");
        done.push(data ?? -1);
      },
      { concurrency: 4, onError: "park", signal: controller.signal },
    );
    // The page is committed once its events are processed or parked.
    const committed = vi.waitFor(async () => expect((await work.info()).lag.events).toBe(0), {
      timeout: 50_000,
      interval: 50,
    });
    committed.finally(() => controller.abort(new Error("enough"))).catch(() => {});
    await expect(running).rejects.toThrow("enough");
    await committed;
    expect(most).toBe(4);
    const parked = await collect(work.parked());
    expect(parked).toMatchObject([{ key: "k1", sequence: 14, reason: "Error: no such customer" }]);
    for (const [index, own] of Map.groupBy(done, (n) => n % 6)) {
      expect(own, `k${index}`).toEqual(
        count(60)
          .filter((n) => n % 6 === index)
          .slice(0, own.length),
      );
    }
    expect(await work.info()).toMatchObject({ lag: { events: 0 }, members: [] });
    await work.retry("k1");
    for await (const { events } of work.pages({ signal: within(50_000) })) {
      expect(events.map(({ data }) => data)).toEqual(
        count(60)
          .filter((n) => n % 6 === 1)
          .slice(2),
      );
      break;
    }
  });

  it("continues where an operator's seek has put it", async () => {
    const stream = ledger.stream<number>(await newStream());
    await stream.publish(count(6).map((n) => ({ key: "k", data: n })));
    const work = stream.subscription("work", { start: "earliest" });
    const seen: (number | null)[] = [];
    for await (const { events } of work.pages({ limit: 3, signal: within(50_000) })) {
      seen.push(...events.map(({ data }) => data));
      if (seen.length === 3) await work.seek("earliest");
      if (seen.length >= 9) break;
    }
    expect(seen).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5]);
  });
});
