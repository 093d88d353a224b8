import { describe, expect, it } from "vitest";
import { systemClock } from "../../kernel/clock.ts";
import type { RawJson } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { createQueues, type RunGroup } from "./queue.ts";
import { settle, type Waiting } from "./waiting.ts";

const target = {
  life: "orders#1" as Life,
  partitions: 4,
  retentionHours: 1,
  stamp: { wallMs: 0, monotonicMs: 0 },
};
const draft = { key: "k", id: undefined, head: '["k",1]', data: "1" as RawJson, bytes: 10 };
const request = (...partitions: number[]) => ({
  drafts: partitions.map((partition) => ({ partition, ...draft })),
  partitions,
  bytes: 10,
});
const receipt = { parts: [], publishedAt: 0 };

/** Creates queues whose groups end when the test ends them. Their clock is at `nowMs`. */
function open(limits: { waitingMax?: number; groupCommit?: boolean } = {}) {
  const running: { group: readonly Waiting[]; join: Parameters<RunGroup>[1]; end: () => void }[] =
    [];
  const time = { nowMs: 0 };
  const clock = { ...systemClock, monotonic: () => time.nowMs };
  const queues = createQueues({ clock, ...limits }, (group, join) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    running.push({ group, join, end: resolve });
    return promise;
  });
  const end = async (index: number, also: readonly Waiting[] = []) => {
    const of = running[index];
    for (const item of [...(of?.group ?? []), ...also]) {
      settle(item, () => item.resolve({ receipt, replayed: false }));
    }
    of?.end();
    await new Promise(setImmediate);
  };
  const sizes = () => running.map(({ group }) => group.length);
  return { ...queues, running, time, end, sizes };
}

describe("the queue of appends", () => {
  it("the queue starts one group per partition, and waiting requests form the next", async () => {
    const { enter, end, sizes } = open();
    const all = [0, 0, 1, 0].map((partition) => enter(target, request(partition)));
    expect(sizes()).toEqual([1, 1]);
    await end(0);
    expect(sizes()).toEqual([1, 1, 2]);
    await end(1);
    await end(2);
    expect(await Promise.all(all)).toHaveLength(4);
  });

  it("requests that arrived meanwhile join a restarting group, which holds their keys", async () => {
    const { enter, running, end, sizes } = open();
    const keyed = { ...request(0), idempotency: { key: "a", requestHash: "h" } };
    const all = [enter(target, request(0)), enter(target, keyed)];
    const joined = running[0]?.join(running[0].group) ?? [];
    expect(joined.map((item) => item.request)).toEqual([keyed]);
    const elsewhere = { ...request(1), idempotency: { key: "a", requestHash: "h" } };
    all.push(enter(target, elsewhere));
    expect(sizes()).toEqual([1]);
    await end(0, joined);
    expect(sizes()).toEqual([1, 1]);
    await end(1);
    expect(await Promise.all(all)).toHaveLength(3);
  });

  it("a request whose deadline passes while it waits is settled as not written", async () => {
    const { enter, time, end } = open();
    const first = enter(target, request(0));
    const late = expect(enter(target, request(0))).rejects.toMatchObject({ code: "stream-busy" });
    time.nowMs = 5_000;
    await end(0);
    await late;
    await expect(first).resolves.toBeDefined();
  });

  it("the queue refuses requests above its limit, and admits again once there is room", async () => {
    const { enter, end } = open({ waitingMax: 1 });
    const all = [enter(target, request(0)), enter(target, request(0))];
    await expect(enter(target, request(0))).rejects.toMatchObject({ code: "too-many-requests" });
    await end(0);
    await end(1);
    expect(await Promise.all(all)).toHaveLength(2);
    await expect(Promise.race([enter(target, request(0)), "admitted"])).resolves.toBe("admitted");
  });

  it("without group commit every request starts alone", () => {
    const { enter, sizes } = open({ groupCommit: false });
    void enter(target, request(0));
    void enter(target, request(0));
    expect(sizes()).toEqual([1, 1]);
  });
});
