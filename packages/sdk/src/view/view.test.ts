import { describe, expect, it } from "vitest";
import { EventLedger, memory, type View } from "../index.ts";
import { fakeLedger } from "../testing/index.ts";

const open = (streams = ["orders"]) => {
  const fake = fakeLedger({ streams, virtualTime: true });
  const orders = new EventLedger(fake.options).stream<number>("orders");
  /** Advances the time while a promise is pending. */
  const meanwhile = async <T>(running: Promise<T>, ms = 1_000): Promise<T> => {
    running.catch(() => {});
    await fake.advance(ms);
    return running;
  };
  const put = (key: string, data: number | null) => meanwhile(orders.publish({ key, data }), 10);
  return { fake, orders, meanwhile, put };
};
const rowsOf = (view: View<number, ReturnType<typeof memory<number>>>) =>
  Object.fromEntries(view.entries());

describe("ready() of a view", () => {
  it("resolves on an empty stream, and later at once", async () => {
    const { orders, meanwhile } = open();
    const view = orders.view({ store: memory<number>() });
    await meanwhile(view.ready());
    await view.ready();
    expect(view.status).toBe("live");
    await view.close();
    await expect(view.ready()).rejects.toThrow("closed");
  });

  it.each([
    ["stream-not-found", (fake: Fake) => fake, []],
    ["unauthorized", (fake: Fake) => fake.revoke(), ["orders"]],
  ] as const)("rejects with %s", async (code, prepare, streams) => {
    const { fake, orders, meanwhile } = open([...streams]);
    prepare(fake);
    const view = orders.view({ store: memory<number>() });
    await expect(meanwhile(view.ready())).rejects.toMatchObject({ code });
    expect(view).toMatchObject({ status: "failed", failure: { code } });
    await view.close();
  });

  it("rejects with the cause when the server is away for too long, and then goes on", async () => {
    const { fake, orders, meanwhile, put } = open();
    await put("a", 1);
    fake.setAway(true);
    const view = orders.view({ store: memory<number>() });
    const ready = view.ready({ timeoutMs: 20_000 });
    await expect(meanwhile(ready, 60_000)).rejects.toMatchObject({ name: "LedgerUnreachable" });
    expect(view.status).toBe("loading");
    fake.setAway(false);
    await meanwhile(view.ready(), 10_000);
    expect(rowsOf(view)).toEqual({ a: 1 });
    await view.close();
  });

  it("rejects when the view is closed, or its signal aborted", async () => {
    const { fake, orders } = open();
    fake.setAway(true);
    const view = orders.view({ store: memory<number>() });
    const controller = new AbortController();
    const aborted = expect(view.ready({ signal: controller.signal })).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await aborted;
    const closed = expect(view.ready()).rejects.toThrow("closed");
    await view.close();
    await closed;
  });
});

describe("a view", () => {
  it("stays readable while it is built again, after any loss of its place", async () => {
    for (const lose of ["recreate", "expire"] as const) {
      const { fake, orders, meanwhile, put } = open();
      await put("a", 1);
      await put("b", 2);
      const statuses: string[] = [];
      const view = orders.view({
        store: memory<number>(),
        onStatus: (status) => statuses.push(status),
      });
      await meanwhile(view.ready());
      fake.setAway(true);
      await fake.advance(30_000);
      expect([view.status, rowsOf(view)]).toEqual(["stale", { a: 1, b: 2 }]);
      fake.setAway(false);
      if (lose === "recreate") fake.recreate("orders");
      // Another process, which does not share the client's pauses.
      const other = new EventLedger(fake.options).stream<number>("orders");
      await other.publish({ key: "c", data: 3 });
      if (lose === "expire") fake.expire("orders");
      await fake.advance(30_000);
      expect(rowsOf(view)).toEqual(lose === "recreate" ? { c: 3 } : { a: 1, b: 2, c: 3 });
      // A place that the log has lost is left by the difference, without a new round.
      expect(view.progress.round).toBe(lose === "recreate" ? 2 : 1);
      expect(statuses).toEqual(["live", "stale", "live"]);
      await view.close();
    }
  });

  it("shows its own writes after seen(), a deletion and other keys included", async () => {
    const { orders, meanwhile, put } = open();
    const view = orders.view({ store: memory<number>(), keyPrefix: "k" });
    await meanwhile(view.ready());
    await meanwhile(view.seen(await put("k1", 1)));
    expect(view.get("k1")).toBe(1);
    await meanwhile(view.seen(await put("k1", null)));
    expect(view.get("k1")).toBeUndefined();
    await meanwhile(view.seen(await put("other", 1)));
    await view.close();
  });

  it("is built again when its store holds another copy, or when it is asked to", async () => {
    const { fake, orders, meanwhile, put } = open();
    await put("a1", 1);
    await put("b1", 2);
    const store = memory<number>();
    const first = orders.view({ store, keyPrefix: "a" });
    await meanwhile(first.ready());
    expect(rowsOf(first)).toEqual({ a1: 1 });
    await first.close();
    const second = orders.view({ store });
    await meanwhile(second.ready());
    expect(rowsOf(second)).toEqual({ a1: 1, b1: 2 });
    const lists = () => fake.requests.filter(({ path }) => path.endsWith("/compacted")).length;
    const before = lists();
    second.rebuild();
    await fake.advance(1_000);
    expect([lists() - before, second.progress.round, rowsOf(second)]).toEqual([
      1,
      3,
      { a1: 1, b1: 2 },
    ]);
    await second.close();
  });

  it("is complete though its rows leave out whole pages of the list and of the log", async () => {
    const { fake, orders, meanwhile } = open();
    const publish = (from: number, until: number) => {
      const numbers = Array.from({ length: until - from }, (_, n) => from + n);
      return meanwhile(orders.publish(numbers.map((n) => ({ key: `k${n}`, data: n }))), 10);
    };
    await publish(0, 1_000);
    await publish(1_000, 1_700);
    const view = orders.view({
      store: memory<number>(),
      toRow: ({ data }) => (data === 0 || data === 1_699 ? Number(data) : undefined),
    });
    await meanwhile(view.ready());
    expect(rowsOf(view)).toEqual({ k0: 0, k1699: 1_699 });
    const lists = fake.requests.filter(({ path }) => path.endsWith("/compacted"));
    expect(lists).toHaveLength(4);
    await view.close();
  });

  it("catches up by the difference in several pages, which a restart continues", async () => {
    const { fake, orders, meanwhile, put } = open();
    const keys = Array.from({ length: 1_000 }, (_, n) => `k${n}`);
    const publish = (data: number) =>
      meanwhile(orders.publish(keys.map((key) => ({ key, data }))), 10);
    await publish(1);
    await put("gone", 1);
    const store = memory<number>();
    const first = orders.view({ store });
    await meanwhile(first.ready());
    await first.close();
    await publish(2);
    await put("gone", null);
    fake.expire("orders");
    let isBroken = false;
    const second = orders.view({
      store: {
        ...store,
        apply(change) {
          if (isBroken) throw new Error("disk full");
          isBroken = true;
          return store.apply(change);
        },
      } as typeof store,
    });
    await expect(meanwhile(second.ready())).rejects.toThrow("disk full");
    await second.close();
    const listed = fake.requests.length;
    const third = orders.view({ store });
    await meanwhile(third.ready());
    expect(rowsOf(third)).toEqual(Object.fromEntries(keys.map((key) => [key, 2])));
    expect(third.progress.round).toBe(1);
    const queries = fake.requests.slice(listed).filter(({ path }) => path.endsWith("/compacted"));
    // 1,001 keys changed, and the second view had applied 500 of them.
    expect(queries).toHaveLength(2);
    await third.close();
  });

  it("does not wait for a write after it was closed", async () => {
    const { fake, orders, meanwhile, put } = open();
    const store = memory<number>();
    const view = orders.view({ store: { ...store, get: async (k, r) => store.get(k, r) } });
    await meanwhile(view.ready());
    const seen = expect(view.seen(await put("a", 1))).rejects.toThrow("closed");
    await view.close();
    await seen;
    fake.setAway(true);
  });

  it("fails when its store does, and goes on when that works again", async () => {
    const { fake, orders, meanwhile, put } = open();
    await put("a", 1);
    const store = memory<number>();
    let isBroken = true;
    const view = orders.view({
      store: {
        ...store,
        apply(change) {
          if (isBroken) throw new Error("disk full");
          return store.apply(change);
        },
      } as typeof store,
    });
    await expect(meanwhile(view.ready())).rejects.toThrow("disk full");
    isBroken = false;
    await fake.advance(20_000);
    expect([view.status, rowsOf(view)]).toEqual(["live", { a: 1 }]);
    await view.close();
  });

  it("keeps a slow reader of changes within bounds", async () => {
    const { orders, meanwhile } = open();
    const view = orders.view({ store: memory<number>() });
    await meanwhile(view.ready());
    const slow = view.changes();
    for (let batch = 0; batch < 12; batch++) {
      const events = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n}`, data: batch }));
      await meanwhile(orders.publish(events), 10);
    }
    await meanwhile(view.seen(await meanwhile(orders.publish({ key: "last", data: 1 }))));
    expect(await slow.next()).toMatchObject({ value: { kind: "reset" } });
    await slow.return?.();
    await view.close();
    expect(await view.changes().next()).toMatchObject({ done: true });
  });
});

type Fake = ReturnType<typeof fakeLedger>;
