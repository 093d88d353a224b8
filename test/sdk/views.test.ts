import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { administer } from "../../packages/sdk/src/admin/index.ts";
import { LedgerProblem, memory } from "../../packages/sdk/src/index.ts";
import { sqlite } from "../../packages/sdk/src/stores/sqlite.ts";
import { collect, openStack } from "./stack.ts";

const { url, adminKey, ledger, connect, newStream } = await openStack();
const entriesOf = (view: { entries(): Iterable<[string, unknown]> }) =>
  Object.fromEntries(view.entries());

describe("a view", () => {
  it("is ready at once on an empty stream", async () => {
    await using view = ledger.stream(await newStream()).view({ store: memory() });
    await view.ready();
    expect([view.status, [...view.entries()]]).toEqual(["live", []]);
  });

  it("has what is published and deleted, from the list and from the log", async () => {
    const stream = ledger.stream<number>(await newStream({ partitions: 2 }));
    await stream.publish([1, 2, 3].map((n) => ({ key: `k${n}`, data: n })));
    await stream.compact();
    await stream.delete("k2");
    await using view = stream.view({ store: memory<number>() });
    await view.ready();
    expect(entriesOf(view)).toEqual({ k1: 1, k3: 3 });
    const changes = view.changes();
    await view.seen(await stream.publish({ key: "k4", data: 4 }));
    expect(view.get("k4")).toBe(4);
    await view.seen(await stream.delete("k1"));
    expect(entriesOf(view)).toEqual({ k3: 3, k4: 4 });
    expect(await changes.next()).toMatchObject({ value: { kind: "put", key: "k4", row: 4 } });
    expect(await changes.next()).toMatchObject({ value: { kind: "delete", key: "k1" } });
  });

  it("builds another round beside the old rows when the stream is created again", async () => {
    const name = await newStream();
    const stream = ledger.stream<number>(name);
    await stream.publish({ key: "old", data: 1 });
    const store = memory<number>();
    await using view = stream.view({ store });
    await view.ready();
    await ledger.deleteStream(name);
    await ledger.createStream(name);
    await stream.publish({ key: "fresh", data: 2 });
    while (view.get("fresh") === undefined) {
      if (view.get("old") === undefined) expect.fail("nothing is shown meanwhile");
      await sleep(50);
    }
    expect(entriesOf(view)).toEqual({ fresh: 2 });
    expect(view.progress.round).toBe(2);
  });

  it("goes on from its store without a second list, and two may share one store", async () => {
    const stream = ledger.stream<number>(await newStream());
    await stream.publish([1, 2, 3].map((n) => ({ key: `k${n}`, data: n })));
    const database = new DatabaseSync(":memory:");
    {
      await using view = stream.view({ store: sqlite<number>(database) });
      await view.ready();
    }
    await stream.publish({ key: "k4", data: 4 });
    const lists: string[] = [];
    const counted = connect({ onRequest: ({ path }) => lists.push(path) });
    const views = [1, 2].map(() =>
      counted.stream<number>(stream.name).view({ store: sqlite<number>(database) }),
    );
    for (const view of views) await view.ready();
    expect(lists.filter((path) => path.endsWith("/compacted"))).toEqual([]);
    for (let n = 5; n < 25; n++) await stream.publish({ key: `k${n % 7}`, data: n });
    const last = await stream.publish({ key: "last", data: 0 });
    for (const view of views) {
      await view.seen(last);
      const events = await collect(stream.read());
      expect(entriesOf(view)).toEqual(
        Object.fromEntries(events.map(({ key, data }) => [key, data] as const)),
      );
      await view.close();
    }
  });

  it("[partitions.order] follows through changes of partitions, and a new one is the same", async () => {
    const name = await newStream();
    const stream = ledger.stream<number>(name);
    const { streams } = administer({ url, apiKey: adminKey });
    await using view = stream.view({ store: memory<number>() });
    await view.ready();
    let last = await stream.publish({ key: "k0", data: 0 });
    for (const partitions of [4, 1, 8]) {
      const changing = streams.change(name, { partitions });
      for (let n = 0; n < 20; n++) {
        last = await stream.publish({ key: `k${n % 7}`, data: 100 * partitions + n });
      }
      await changing;
      await stream.delete(`k${partitions}`);
      last = await stream.publish({ key: "end", data: partitions });
    }
    await view.seen(last);
    const rows = new Map<string, number>();
    for (const { key, data } of await collect(stream.read())) {
      if (data === null) rows.delete(key);
      else rows.set(key, data);
    }
    expect(entriesOf(view)).toEqual(Object.fromEntries(rows));
    expect((await streams.get(name)).epochs?.map(({ partitions }) => partitions)).toEqual([
      1, 4, 1, 8,
    ]);
    await using fresh = stream.view({ store: memory<number>() });
    await fresh.ready();
    expect(entriesOf(fresh)).toEqual(Object.fromEntries(rows));
  });

  it("says that the stream is missing, and goes on once there is one", async () => {
    const name = `sdk-late-${Date.now()}`;
    const stream = ledger.stream<number>(name);
    await using view = stream.view({ store: memory<number>() });
    await expect(view.ready()).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "stream-not-found"),
    );
    expect(view.status).toBe("failed");
    await ledger.createStream(name);
    while (view.status !== "live") await sleep(50);
    await view.seen(await stream.publish({ key: "a", data: 1 }));
    expect(view.get("a")).toBe(1);
  });

  it("says that the key is refused", async () => {
    const name = await newStream();
    await using view = connect({ apiKey: "elk_no_such_key_at_all" })
      .stream(name)
      .view({ store: memory() });
    await expect(view.ready()).rejects.toMatchObject({ code: "unauthorized" });
  });
});
