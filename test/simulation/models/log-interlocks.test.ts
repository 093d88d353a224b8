import { describe, expect, it } from "vitest";
import type { IncomingEvent, RawJson } from "../../../packages/core/src/model/event.ts";
import { partitionOf } from "../../../packages/core/src/model/partition.ts";
import type { Batch } from "../../../packages/core/src/table/batch.ts";
import { frozenPublishers } from "./frozen-publishers.ts";
import { readAll } from "./log/read-all.ts";
import { type LogProcess, type SimulatedLog, simulateLog } from "./log/simulated-log.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const event = (key = "k", data = "1"): IncomingEvent => ({
  attributes: { key },
  data: data as RawJson,
});

const publish = async ({ log, recall }: LogProcess, idempotencyKey?: string, key?: string) =>
  log.publish(await recall(), [event(key)], idempotencyKey);

/** Returns the result of a publish: the sequence of its event, or the code of its problem. */
const outcome = async (by: LogProcess, idempotencyKey?: string): Promise<number | string> => {
  try {
    return (await publish(by, idempotencyKey)).events[0]?.sequence ?? 0;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
};

const start = async (
  partitions = 1,
  options: Parameters<typeof simulateLog>[1] = {},
): Promise<SimulatedLog & { a: LogProcess; b: LogProcess }> => {
  const simulated = simulateLog(options?.seed ?? "interlocks", { latencyMs: () => 5, ...options });
  const [a, b] = [simulated.start("a"), simulated.start("b")];
  await simulated.time.finish(simulated.createStream(a, partitions));
  return { ...simulated, a, b };
};

const pass = ({ time }: SimulatedLog, ms: number) => {
  // Time does not move when nothing is left to happen, so this schedules an empty step.
  time.after(ms, () => {});
  return time.run({ untilMs: time.nowMs() + ms });
};

/** Acts as the compactor: records that it checked the end, and how far it compacted. */
const look = async (
  by: LogProcess,
  partition: number,
  next: number,
  more: object = {},
): Promise<void> => {
  const { life } = await by.load();
  const checkpoint = await by.table.checkpoints.load(life, partition);
  const checkedAt = by.process.clock.now();
  const to = { next, checkedAt, compactedThrough: checkedAt, ...more };
  expect(await by.table.checkpoints.move(life, partition, checkpoint?.next ?? 0, to)).toBe(true);
};

describe("publishing", () => {
  it("[publish.interlock] publishing stops when the end was not checked for more than 7 days, and continues after a check", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    expect(await time.finish(outcome(a))).toBe(1);
    await time.finish(look(a, 0, 2));
    await pass(simulated, 7 * DAY_MS - 10_000);
    expect(await time.finish(outcome(a))).toBe(2);
    await pass(simulated, 11_000);
    expect(await time.finish(outcome(simulated.start("other")))).toBe("compaction-stalled");
    await pass(simulated, 60_000);
    expect(await time.finish(outcome(a))).toBe("compaction-stalled");
    await time.finish(look(a, 0, 3));
    expect(await time.finish(outcome(a))).toBe(3);
  });

  it("publishing stops when compaction lags by more than 24 hours, but not when there is nothing to do", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await pass(simulated, 3 * DAY_MS);
    expect(await time.finish(outcome(a))).toBe(1);
    await pass(simulated, 60_001);
    expect(await time.finish(outcome(a))).toBe("compaction-stalled");
    await time.finish(look(a, 0, 2));
    expect(await time.finish(outcome(a))).toBe(2);
  });

  it("publishing stops for good when the end was not checked for more than 30 days", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await pass(simulated, 30 * DAY_MS - 10_000);
    expect(await time.finish(outcome(a))).toBe("compaction-stalled");
    await pass(simulated, 10_001);
    expect(await time.finish(outcome(a))).toBe("numbering-at-risk");
  });

  it("the guards are checked again each minute, however busy the partition is", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await pass(simulated, 7 * DAY_MS - 30_000);
    const seen: (string | number)[] = [];
    for (let second = 0; second < 100; second++) {
      seen.push(await time.finish(outcome(a)));
      await pass(simulated, 1_000);
    }
    expect(seen.filter((each) => typeof each === "number").length).toBeLessThanOrEqual(61);
    expect(seen.at(-1)).toBe("compaction-stalled");
  });

  it("no number is used twice, whichever batches have expired", async () => {
    const simulated = await start();
    const { time, store, a } = simulated;
    for (let n = 1; n <= 20; n++) expect(await time.finish(outcome(a))).toBe(n);
    for (let day = 0; day < 45; day++) {
      await time.finish(look(a, 0, 21));
      await pass(simulated, DAY_MS);
    }
    await time.finish(look(a, 0, 21, { floor: 21 }));
    // Items are deleted in random order, so the last remaining one is often not the last written
    // one.
    for (let left = 20; left > 0; left--) {
      expect(store.expireItems({ limit: 1, lateMs: 0 })).toBe(1);
      const other = simulated.start(`after ${left}`);
      const { life } = await time.finish(other.load());
      const [end] = await time.finish(other.log.seek({ life, partitions: 1 }, "latest"));
      expect(end).toEqual({ batch: 21, next: 21 });
    }
    expect(await time.finish(outcome(simulated.start("late")))).toBe(21);
  });
});

describe("a look at a contested end", () => {
  it("remaining batches do not mislead when later ones have expired", async () => {
    const simulated = await start(2, { seed: "the sixth is not the last to expire" });
    const { time, store, a } = simulated;
    const [left, right] = [keyOf(0), keyOf(1)];
    for (let n = 1; n <= 6; n++) await time.finish(publish(a, undefined, right));
    for (let day = 0; day < 46; day++) {
      for (const partition of [0, 1]) await time.finish(look(a, partition, partition * 6 + 1));
      await pass(simulated, DAY_MS);
    }
    const isStored = (first: number) =>
      store.items().some((item) => item.p === 1 && item.n === 1 && item.f === first);
    while (isStored(6)) expect(store.expireItems({ limit: 1, lateMs: 0 })).toBe(1);
    expect([1, 2, 3, 4, 5].some(isStored)).toBe(true);
    // Rivals on the left partition make it lose, so it reads both ends again before it has written.
    const rivals = Array.from({ length: 8 }, (_, n) => simulated.start(`rival ${n}`));
    const rivalry = rivals.map(async (rival) => {
      for (let n = 0; n < 10; n++) await publish(rival, undefined, left);
    });
    await time.finish(publish(a, undefined, left));
    const stream = await time.finish(a.load());
    const reads = store.tally.get("sent.query");
    const work = a.log.publish(stream, [event(left), event(right)]);
    expect((await time.finish(work)).events[1]?.sequence).toBe(7);
    expect(store.tally.get("sent.query")).toBeGreaterThan(reads);
    await time.finish(Promise.all(rivalry));
  });
});

const keyOf = (partition: number): string =>
  ["k0", "k1", "k2", "k3", "k4", "k5"].find((key) => partitionOf(key, 2) === partition) ?? "";

describe("a publisher", () => {
  it.each(frozenPublishers)(
    "a publisher that is frozen for a minute while $name never says that it wrote",
    ({ play }) => play(),
  );

  it("a publisher that was frozen for less than a minute says that it wrote", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    expect(await time.finish(outcome(a))).toBe(1);
    const answer = outcome(a);
    await pass(simulated, 6);
    a.process.freeze();
    await pass(simulated, 4_000);
    a.process.thaw();
    expect(await time.finish(answer)).toBe(2);
  });

  it("[publish.busy] a publisher does not write once its time is up, when others extend the chain faster", async () => {
    const simulated = await start();
    const { time, a, b } = simulated;
    expect(await time.finish(outcome(a))).toBe(1);
    const { life } = await time.finish(b.load());
    let first = 2;
    const extend = () => {
      const batch: Batch = {
        first: first++,
        count: 1,
        kind: "jump",
        batchId: new Uint8Array(16),
        publishedAt: b.process.clock.now(),
        rawBytes: 0,
        payload: new Uint8Array(),
      };
      const append = { life, batches: [{ partition: 0, batch }], receipts: [], token: "" };
      void b.table.append.put(append);
      if (time.nowMs() - began < 5_100) time.after(1, extend);
    };
    const began = time.nowMs();
    extend();
    await pass(simulated, 10);
    const answers = [outcome(a), outcome(a, '"keyed"')];
    for (const answer of answers) expect(await time.finish(answer)).toBe("stream-busy");
    expect(time.nowMs() - began).toBeLessThan(5_200);
    await pass(simulated, 1_000);
    expect(await time.finish(outcome(a))).toBe(first);
  });

  it("[publish.unavailable] a publisher does not write once its time is up, however long the read of the end took", async () => {
    let latencyMs = 5;
    const simulated = await start(1, { latencyMs: () => latencyMs, timeoutMs: 10_000 });
    const { time, store, a } = simulated;
    await time.finish(a.load());
    latencyMs = 1_490;
    expect(await time.finish(outcome(a))).toBe("store-unavailable");
    expect(store.tally.get("sent.put")).toBe(0);
  });

  it("[publish.unavailable] a publisher is answered when its time is up, even if the read of the end still fails", async () => {
    const simulated = await start();
    const { time, store, a } = simulated;
    await time.finish(a.load());
    store.setFaults((operation) => (operation === "query" ? { "timeout-before": 1 } : {}));
    const began = time.nowMs();
    const answered = async () => [await outcome(a), time.nowMs() - began];
    const first = answered();
    await pass(simulated, 1_000);
    const second = answered();
    expect(await time.finish(first)).toEqual(["store-unavailable", 5_000]);
    expect(await time.finish(second)).toEqual(["store-unavailable", 6_000]);
    expect(store.tally.get("sent.put")).toBe(0);
    store.setFaults();
    await pass(simulated, 20_000);
    expect(await time.finish(outcome(a))).toBe(1);
  });

  it("a request that may have been written is not reported as refused", async () => {
    const simulated = await start();
    const { time, store, a, b } = simulated;
    expect(await time.finish(outcome(a))).toBe(1);
    store.setFaults(() => ({ "error-after": 1 }));
    const answer = outcome(a);
    await pass(simulated, 3);
    store.setFaults();
    a.refuse("ExpiredTokenException");
    expect(await time.finish(answer)).toBe("outcome-unknown");
    expect(await time.finish(readAll(b, simulated.random))).toHaveLength(2);
  });

  it("a request leaves the queue when its time is up", async () => {
    const simulated = await start();
    const { time, store, a } = simulated;
    expect(await time.finish(outcome(a))).toBe(1);
    store.setFaults(() => ({ "timeout-before": 1 }));
    const [first, second] = [outcome(a), outcome(a)];
    expect(await time.finish(first)).toBe("outcome-unknown");
    expect(await time.finish(second)).toBe("store-unavailable");
    store.setFaults();
    expect(await time.finish(outcome(a))).toBe(2);
  });

  it("[publish.busy-queue] a request is refused when 10,000 are waiting, and no other request is affected", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await time.finish(a.load());
    const answers = Array.from({ length: 10_005 }, () => outcome(a));
    const seen = await time.finish(Promise.all(answers));
    const refused = seen.filter((each) => each === "too-many-requests").length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThanOrEqual(5);
    expect(new Set(seen.filter((each) => typeof each === "number")).size).toBe(10_005 - refused);
  });

  it("a request with large attributes joins no batch that could not be read again", async () => {
    const simulated = await start();
    const { time, a, b } = simulated;
    const stream = await time.finish(a.load());
    const headers = Object.fromEntries(
      Array.from({ length: 32 }, (_, n) => [`h${n}`, "x".repeat(1_024)]),
    );
    const large = { attributes: { key: "k", headers }, data: "1" as RawJson };
    const count = 400;
    const all = Array.from({ length: count }, () => a.log.publish(stream, [large]));
    await time.finish(Promise.all(all));
    const entries = await time.finish(readAll(b, simulated.random));
    expect(entries).toHaveLength(count);
    expect(entries.every(({ event: { headers: back } }) => back?.h31 === headers.h31)).toBe(true);
  });
});

describe("an idempotency key", () => {
  it("[publish.unknown] a retry settles a request whose outcome was unknown", async () => {
    const simulated = await start();
    const { time, store, a, b } = simulated;
    let puts = 0;
    // The claim is answered, and the batch is not.
    store.setFaults((operation) =>
      operation === "put" && ++puts > 1 ? { "timeout-after": 1 } : {},
    );
    expect(await time.finish(outcome(a, "x"))).toBe("outcome-unknown");
    store.setFaults();
    expect(await time.finish(publish(b, "x"))).toMatchObject({ replayed: true });
    expect(await time.finish(publish(a, "x"))).toMatchObject({
      replayed: true,
      events: [{ sequence: 1 }],
    });
    expect(await time.finish(readAll(b, simulated.random))).toHaveLength(1);
  });

  it("a request is written once when two processes send it at the same moment", async () => {
    const simulated = await start();
    const { time, a, b } = simulated;
    const both = await time.finish(Promise.all([publish(a, "x"), publish(b, "x")]));
    expect(both.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(both[0]?.events).toEqual(both[1]?.events);
    expect(both[0]?.publishedAt).toBe(both[1]?.publishedAt);
    expect(await time.finish(readAll(b, simulated.random))).toHaveLength(1);
  });

  it("a second request waits for the first in the same process, and gets its receipt", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await time.finish(a.load());
    const both = await time.finish(Promise.all([publish(a, "x"), publish(a, "x")]));
    expect(both.map(({ replayed }) => replayed)).toEqual([false, true]);
    expect(both[0]?.events).toEqual(both[1]?.events);
  });

  it("another body is refused, even while the first request is in flight", async () => {
    const simulated = await start(4);
    const { time, a, b } = simulated;
    const codeOf = (work: Promise<unknown>) => work.then(String, (error) => error.code);
    const first = publish(a, "x");
    await pass(simulated, 4);
    const others = [codeOf(publish(a, "x", "other")), codeOf(publish(b, "x", "other"))];
    await time.finish(first);
    expect(await time.finish(Promise.all(others))).toEqual([
      "idempotency-key-reused",
      "idempotency-key-reused",
    ]);
    expect(await time.finish(readAll(b, simulated.random))).toHaveLength(1);
  });

  it("a key is valid for more than a day while its row exists", async () => {
    const simulated = await start();
    const { time, a } = simulated;
    await time.finish(publish(a, "x"));
    await time.finish(look(a, 0, 2));
    await pass(simulated, 5 * DAY_MS);
    expect(await time.finish(publish(a, "x"))).toMatchObject({ replayed: true });
  });

  it("a refused key does not affect the other requests of its group", async () => {
    const simulated = await start();
    const { time, a, b } = simulated;
    await time.finish(publish(b, "x"));
    await time.finish(a.load());
    const together = [publish(a), publish(a, "x"), publish(a), publish(a, "y")];
    const done = await time.finish(Promise.all(together));
    expect(done.map(({ replayed }) => replayed)).toEqual([false, true, false, false]);
    const sequences = done.map(({ events }) => events[0]?.sequence);
    expect(sequences.toSorted()).toEqual([1, 2, 3, 4]);
  });
});
