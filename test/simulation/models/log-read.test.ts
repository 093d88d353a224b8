import { describe, expect, it } from "vitest";
import { cutPage } from "../../../packages/core/src/log/read/page-cut.ts";
import type { IncomingEvent, RawJson } from "../../../packages/core/src/model/event.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { partitionOf } from "../../../packages/core/src/model/partition.ts";
import { edgeAt, type Position } from "../../../packages/core/src/model/position.ts";
import { PROBLEM_EXAMPLES } from "../../../packages/functions/src/http/openapi/problem-examples.ts";
import { readAll } from "./log/read-all.ts";
import { type LogProcess, type SimulatedLog, simulateLog } from "./log/simulated-log.ts";

const DAY_MS = 86_400_000;
const NO_LONGER_KEPT = "The events at this position are no longer kept.";
const PAGE = { room: { events: 1_000, bytes: 5_000_000 }, nextPartition: 0 };

type Started = SimulatedLog & { readonly a: LogProcess };

const start = async (partitions: number, seed = "read", latencyMs = 1): Promise<Started> => {
  const simulated = simulateLog(seed, { latencyMs: () => latencyMs, scanMs: 0, commitMs: 0 });
  const a = simulated.start("a");
  await simulated.time.finish(simulated.createStream(a, partitions));
  return { ...simulated, a };
};

const events = (count: number, key = "k", text = "x"): IncomingEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    attributes: { key },
    data: JSON.stringify(`${n}${text}`) as RawJson,
  }));

/** Appends batches of these sizes to partition 0, at intervals of this many milliseconds. */
const appendBatches = async ({ a, time }: Started, counts: readonly number[], everyMs: number) => {
  for (const count of counts) {
    await a.log.publish(await a.recall(), events(count));
    await a.process.clock.sleep(everyMs - (time.nowMs() % everyMs));
  }
};

const keyOf = (partition: number, partitions: number): string => {
  for (let n = 0; ; n++) if (partitionOf(`k${n}`, partitions) === partition) return `k${n}`;
};

describe("reading", () => {
  it("reading reaches every partition when each page is full with one of them", async () => {
    const partitions = 16;
    const { time, a } = await start(partitions);
    const text = "x".repeat(20_000);
    const { life } = await time.finish(a.load());
    for (let partition = 0; partition < partitions; partition++) {
      for (let n = 0; n < 3; n++) {
        const batch = events(2, keyOf(partition, partitions), text);
        await time.finish(a.recall().then((stream) => a.log.publish(stream, batch)));
      }
    }
    let positions: readonly Position[] = Array.from({ length: partitions }, () => edgeAt(1));
    let nextPartition = 0;
    const visited: number[] = [];
    for (let page = 0; page < partitions; page++) {
      const room = { events: 1_000, bytes: 60_000 };
      const read = await time.finish(a.log.read(life, positions, { room, nextPartition }));
      expect(read.entries).toHaveLength(2);
      visited.push(read.entries[0]?.partition ?? -1);
      positions = read.runs.map(({ position }) => position);
      nextPartition = read.nextPartition;
    }
    expect(new Set(visited).size).toBe(partitions);
  });

  it("reading reaches every partition when each page is cut short", async () => {
    const partitions = 5;
    const { time, a } = await start(partitions, "cut");
    const { life } = await time.finish(a.load());
    for (let partition = 0; partition < partitions; partition++) {
      const batch = events(50, keyOf(partition, partitions));
      await time.finish(a.recall().then((stream) => a.log.publish(stream, batch)));
    }
    let positions: readonly Position[] = Array.from({ length: partitions }, () => edgeAt(1));
    let nextPartition = 0;
    const seen = new Set<number>();
    for (let page = 0; page < partitions; page++) {
      const read = cutPage(
        await time.finish(a.log.read(life, positions, { ...PAGE, nextPartition })),
        10,
      );
      for (const { partition } of read.entries) seen.add(partition);
      positions = read.runs.map(({ position }) => position);
      nextPartition = read.nextPartition;
    }
    expect(seen.size).toBe(partitions);
  });

  it("[retention.passed] a position below the floor is refused, and reading starts at the floor", async () => {
    const simulated = await start(1);
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [3, 2, 4], 10));
    const { life } = await time.finish(a.load());
    const checkedAt = a.process.clock.now();
    await time.finish(a.table.checkpoints.move(life, 0, 1, { next: 10, checkedAt, floor: 4 }));
    const fresh = simulated.start("fresh");
    const read = (position: Position) => time.finish(fresh.log.read(life, [position], PAGE));
    // The documentation shows the answer to a poll, which begins in the same way.
    expect(PROBLEM_EXAMPLES["retention-passed"]?.value.detail).toContain(NO_LONGER_KEPT);
    for (const below of [edgeAt(1), { batch: 1, next: 3 }]) {
      await expect(read(below)).rejects.toMatchObject({
        code: "retention-passed",
        detail: `${NO_LONGER_KEPT} Read from \`earliest\` instead.`,
        facts: { earliestSequence: 4 },
      });
    }
    for (const at of [edgeAt(4), { batch: 1, next: 4 }, { batch: 4, next: 5 }]) {
      expect((await read(at)).entries[0]?.event.sequence).toBe(at.next);
    }
    const [earliest] = await time.finish(fresh.log.seek({ life, partitions: 1 }, "earliest"));
    expect(earliest).toEqual(edgeAt(4));
  });

  it("reading backward ends where rows have expired while no sweep moved the floor", async () => {
    const simulated = await start(1);
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [3], 10));
    const { life } = await time.finish(a.load());
    await time.finish(a.process.clock.sleep(8 * DAY_MS));
    const checkedAt = a.process.clock.now();
    await time.finish(a.table.checkpoints.move(life, 0, 1, { next: 6, checkedAt }));
    const fresh = simulated.start("fresh");
    const back = fresh.log.readBack(life, [edgeAt(6)], {
      limit: 10,
      matches: undefined,
      among: undefined,
      bound: undefined,
      lookedMax: 100,
    });
    expect(await time.finish(back)).toMatchObject({ events: [], caughtUp: true });
  });

  it("reading continues from the end of a batch that has expired since", async () => {
    const simulated = await start(1);
    const { time, a, store } = simulated;
    await time.finish(appendBatches(simulated, [3], 10));
    const { life } = await time.finish(a.load());
    for (let day = 0; day < 46; day++) {
      await time.finish(a.process.clock.sleep(DAY_MS));
      const checkedAt = a.process.clock.now();
      const checkpoint = await time.finish(a.table.checkpoints.load(life, 0));
      const to = { next: 4, checkedAt, compactedThrough: checkedAt, floor: 4 };
      await time.finish(a.table.checkpoints.move(life, 0, checkpoint?.next ?? 0, to));
    }
    expect(store.expireItems({ lateMs: 0 })).toBe(1);
    await time.finish(appendBatches(simulated, [2], 10));
    const page = await time.finish(a.log.read(life, [{ batch: 1, next: 4 }], PAGE));
    expect(page.entries.map(({ event }) => event.sequence)).toEqual([4, 5]);
    expect(page.runs[0]).toMatchObject({ position: edgeAt(6), atEnd: true });
  });

  it("appends and compactions during a read do not confuse it", async () => {
    const simulated = await start(1, "race", 10);
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [1], 100));
    const reader = simulated.start("reader");
    const { life } = await time.finish(reader.load());
    const readOn = (next: number) => reader.log.read(life, [edgeAt(next)], PAGE);
    const knownSince = time.nowMs();
    expect((await time.finish(readOn(2))).runs[0]?.atEnd).toBe(true);
    await time.finish(a.process.clock.sleep(59_000));
    const b = simulated.start("b");
    await time.finish(appendBatches({ ...simulated, a: b }, [1], 100));
    // The reader's knowledge of the checkpoint becomes too old while its query is answered.
    await time.finish(a.process.clock.sleep(knownSince + 59_990 - time.nowMs()));
    const page = readOn(3);
    const stream = await b.recall();
    const { clock } = b.process;
    const to = { next: 4, checkedAt: clock.now() };
    const publish = clock.sleep(5).then(() => b.log.publish(stream, events(1)));
    const compact = clock.sleep(8).then(() => a.table.checkpoints.move(life, 0, 1, to));
    expect((await time.finish(page)).runs[0]).toMatchObject({ position: edgeAt(3) });
    await time.finish(Promise.all([publish, compact]));
    expect((await time.finish(readOn(3))).entries).toHaveLength(1);
  });

  it("reading continues over places that were filled while a page was read", async () => {
    const simulated = simulateLog("torn", { scanMs: 40 });
    const { time, store } = simulated;
    const [a, reader] = [simulated.start("a"), simulated.start("reader")];
    await time.finish(simulated.createStream(a, 1));
    const { life } = await time.finish(reader.load());
    let done = false;
    const work = appendBatches({ ...simulated, a }, new Array<number>(200).fill(1), 0.1);
    const read = async () => {
      let position = edgeAt(1);
      while (!done) {
        const page = await reader.log.read(life, [position], PAGE);
        position = page.runs[0]?.position ?? position;
        await reader.process.clock.sleep(1);
      }
    };
    const reading = read();
    await time.finish(
      work.finally(() => {
        done = true;
      }),
    );
    await time.finish(reading);
    // Some pages missed a batch and contained the following one. That is the case under test.
    expect(store.tally.get("read.torn")).toBeGreaterThan(20);
  });

  it("an unexplained gap fails loudly", async () => {
    const simulated = await start(1);
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [3], 10));
    const { life } = await time.finish(a.load());
    const batchId = new Uint8Array(16);
    const batch = { first: 9, count: 1, batchId, publishedAt: 0, rawBytes: 1, payload: batchId };
    const append = { life, batches: [{ partition: 0, batch }], receipts: [], token: "" };
    await time.finish(a.table.append.put(append));
    await expect(time.finish(readAll(a, simulated.random))).rejects.toThrow("nothing is missing");
  });
});

describe("seeking", () => {
  it("a seek finds the first event published at a moment or later, at every edge, in few reads", async () => {
    const simulated = await start(1, "seek");
    const { time, a, store, random } = simulated;
    const counts = Array.from({ length: 120 }, () => random.between(1, 6));
    await time.finish(appendBatches(simulated, counts, 10));
    const stream = await time.finish(a.load());
    const all = await time.finish(readAll(a, random));
    const edges = new Set(all.flatMap(({ event: { publishedAt: at } }) => [at - 1, at, at + 1]));
    let reads = 0;
    for (const timeMs of [0, ...edges]) {
      const before = store.tally.get("sent.query");
      const [position] = await time.finish(a.log.seek(stream, { timeMs }));
      reads = Math.max(reads, store.tally.get("sent.query") - before);
      const expected = all.find(({ event }) => event.publishedAt >= timeMs)?.event.sequence;
      expect(position).toEqual(edgeAt(expected ?? all.length + 1));
    }
    expect(reads).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(all.length)));
  });

  it("a seek finds the first of several batches of the same millisecond", async () => {
    const simulated = await start(1, "same");
    const { time, a } = simulated;
    a.process.setSkew(0);
    await time.finish(appendBatches(simulated, [2, 2], 10));
    // Its clock is late, so its batches get the time of the preceding batch.
    a.process.setSkew(-5_000);
    await time.finish(appendBatches(simulated, [1, 1, 1], 10));
    const stream = await time.finish(a.load());
    const all = await time.finish(readAll(a, simulated.random));
    const times = all.map(({ event }) => event.publishedAt);
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    expect(new Set(times.slice(2)).size).toBe(1);
    const [position] = await time.finish(a.log.seek(stream, { timeMs: times[6] ?? 0 }));
    expect(position).toEqual(edgeAt(3));
  });

  it("a seek finds nothing below the floor, and the end when no event is so late", async () => {
    const simulated = await start(1, "floor");
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [3, 2, 4], 10));
    const stream = await time.finish(a.load());
    const checkedAt = a.process.clock.now();
    await time.finish(
      a.table.checkpoints.move(stream.life, 0, 1, { next: 10, checkedAt, floor: 6 }),
    );
    expect(await time.finish(a.log.seek(stream, { timeMs: 0 }))).toEqual([edgeAt(6)]);
    const late = { timeMs: time.nowMs() + 1 };
    expect(await time.finish(a.log.seek(stream, late))).toEqual([edgeAt(10)]);
    expect(await time.finish(a.log.seek(stream, "latest"))).toEqual([edgeAt(10)]);
  });

  it("a seek finds any sequence, also inside a batch", async () => {
    const simulated = await start(1, "sequence");
    const { time, a } = simulated;
    await time.finish(appendBatches(simulated, [3, 1, 4], 10));
    const stream = await time.finish(a.load());
    const seek = (sequence: number) => a.log.seek(stream, { sequence, pointer: "/from" });
    for (let sequence = 1; sequence <= 9; sequence++) {
      const positions = await time.finish(seek(sequence));
      expect(positions[0]?.next).toBe(sequence);
      const page = await time.finish(a.log.read(stream.life, positions, PAGE));
      expect(page.entries[0]?.event.sequence).toBe(sequence <= 8 ? sequence : undefined);
    }
    await expect(time.finish(seek(10))).rejects.toMatchObject({ code: "invalid-request" });
  });
});

describe("a stream that was deleted and created again", () => {
  it("a late writer with an outdated view gets 404, and a new life shows nothing of the former one", async () => {
    const simulated = await start(4, "lives");
    const { time, a, random } = simulated;
    const late = ["b", "c"].map((name) => simulated.start(name));
    const publish = async (by: LogProcess, key: string, idempotencyKey?: string) =>
      by.log.publish(await by.recall(), events(1, key), idempotencyKey);
    // One process knows the ends of the chains, and the other knows only the stream's row.
    const [b, c] = late;
    if (b === undefined || c === undefined) throw new RangeError("two processes");
    for (const key of ["k1", "k2", "k3"]) await time.finish(publish(b, key));
    await time.finish(c.load());
    await time.finish(a.streams.end(defaultTenant, "orders"));
    await time.finish(simulated.createStream(a, 4));
    for (const by of late) {
      for (const [key, idempotencyKey] of [["k1"], ["k2", "x"], ["k4"]]) {
        const work = publish(by, key ?? "", idempotencyKey);
        await expect(time.finish(work)).rejects.toMatchObject({ code: "stream-not-found" });
      }
    }
    expect(await time.finish(readAll(a, random))).toEqual([]);
    await time.finish(a.process.clock.sleep(5_001));
    for (const by of late) expect((await time.finish(publish(by, "k1"))).events).toHaveLength(1);
    expect(await time.finish(readAll(a, random))).toHaveLength(2);
  });
});
