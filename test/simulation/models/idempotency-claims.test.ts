import { describe, expect, it } from "vitest";
import type { IncomingEvent, RawJson } from "../../../packages/core/src/model/event.ts";
import { readAll } from "./log/read-all.ts";
import { type LogProcess, type SimulatedLog, simulateLog } from "./log/simulated-log.ts";

/**
 * These tests stop a request between its claim and its batch. They check the idempotency key,
 * whichever process continues.
 */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type World = SimulatedLog & Record<"a" | "b" | "c", LogProcess>;

async function start(): Promise<World> {
  const simulated = simulateLog("claims", { latencyMs: () => 5 });
  const [a, b, c] = [simulated.start("a"), simulated.start("b"), simulated.start("c")];
  await simulated.time.finish(simulated.createStream(a, 1));
  for (const each of [a, b, c]) await simulated.time.finish(publish(each));
  return { ...simulated, a, b, c };
}

const FIRST_FREE = 4;

const event = (data: string): IncomingEvent => ({
  attributes: { key: "k" },
  data: data as RawJson,
});

const publish = async ({ log, recall }: LogProcess, key?: string, data = "1") =>
  log.publish(await recall(), [event(data)], key);

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => value,
    (error) => error.code,
  );

const pass = ({ time }: SimulatedLog, ms: number) => {
  time.after(ms, () => {});
  return time.run({ untilMs: time.nowMs() + ms });
};

/** Answers this number of further puts of a process. Later puts never arrive. */
function answerPuts({ store }: SimulatedLog, count: number, fault = "timeout-before"): void {
  let puts = 0;
  store.setFaults((operation) => (operation === "put" && ++puts > count ? { [fault]: 1 } : {}));
}

const rowOf = ({ store }: SimulatedLog, key: string) =>
  [...store.items()].find(({ sk }) => sk === `IDEMPOTENCY#${key}`);

/**
 * Checks the end as the compactor does from time to time, so that publishing continues after a day.
 */
async function look({ b, time }: World): Promise<void> {
  const { life } = await time.finish(b.load());
  const checkedAt = time.nowMs();
  const to = { next: FIRST_FREE, checkedAt, compactedThrough: checkedAt };
  expect(await time.finish(b.table.checkpoints.move(life, 0, 1, to))).toBe(true);
}

/** Sends a request of `a` that puts its claim and nothing else. */
async function abandon(world: World, key: string): Promise<void> {
  answerPuts(world, 1);
  expect(await world.time.finish(codeOf(publish(world.a, key, '"keyed"')))).toBe("outcome-unknown");
  world.store.setFaults();
  expect(rowOf(world, key)).toBeDefined();
}

const timesInLog = async (world: World, data = '"keyed"') => {
  const entries = await world.time.finish(readAll(world.b, world.random));
  return entries.filter(({ event: one }) => one.data === data).length;
};

describe("a claim that was not followed by its batch", () => {
  it("[publish.idempotent] the next copy of the request settles the claim once", async () => {
    const world = await start();
    await abandon(world, "x");
    const first = await world.time.finish(publish(world.b, "x", '"keyed"'));
    const again = await world.time.finish(publish(world.c, "x", '"keyed"'));
    expect([first.replayed, again.replayed]).toEqual([false, true]);
    expect(again.events).toEqual(first.events);
    expect(again.publishedAt).toBe(first.publishedAt);
    expect(await timesInLog(world)).toBe(1);
  });

  it("a claim is settled once when its own batch arrives late, before others have written or after", async () => {
    for (const between of [0, 3]) {
      const world = await start();
      answerPuts(world, 1, "timeout-late");
      const first = world.time.finish(codeOf(publish(world.a, "x", '"keyed"')));
      expect(await first).toBe("outcome-unknown");
      world.store.setFaults();
      for (let n = 0; n < between; n++) await world.time.finish(publish(world.c));
      await world.time.finish(publish(world.b, "x", '"keyed"'));
      await pass(world, 10 * 60_000);
      expect(await timesInLog(world)).toBe(1);
    }
  });

  it("a claim is settled once when two processes continue with it, each after others have written", async () => {
    const world = await start();
    await abandon(world, "x");
    for (let n = 0; n < 5; n++) await world.time.finish(publish(world.c));
    const both = [publish(world.b, "x", '"keyed"'), publish(world.c, "x", '"keyed"')];
    const done = await world.time.finish(Promise.all(both));
    expect(done.map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(done[0]?.events).toEqual(done[1]?.events);
    expect(await timesInLog(world)).toBe(1);
  });

  it("the creator does not write the events after another process has, however the chain has grown", async () => {
    const world = await start();
    // The batch of the claim's creator never gets an answer while another process continues with
    // the claim.
    answerPuts(world, 1);
    const slow = codeOf(publish(world.a, "x", '"keyed"'));
    await pass(world, 1_000);
    world.store.setFaults();
    for (let n = 0; n < 3; n++) await world.time.finish(publish(world.c));
    const fast = await world.time.finish(publish(world.b, "x", '"keyed"'));
    for (let n = 0; n < 3; n++) await world.time.finish(publish(world.c));
    expect(fast.replayed).toBe(false);
    expect(await world.time.finish(slow)).toMatchObject({ replayed: true, events: fast.events });
    expect(await timesInLog(world)).toBe(1);
  });

  it("a claim refuses other events, as a completed one does", async () => {
    const world = await start();
    await abandon(world, "x");
    const other = codeOf(publish(world.b, "x", '"other"'));
    expect(await world.time.finish(other)).toBe("idempotency-key-reused");
    expect(await timesInLog(world, '"other"')).toBe(0);
  });

  it("a claim lasts for a day from when its events were written, however late that was", async () => {
    const world = await start();
    await abandon(world, "x");
    await pass(world, 30 * HOUR_MS);
    await look(world);
    await world.time.finish(publish(world.b, "x", '"keyed"'));
    const { expiresAt } = rowOf(world, "x") ?? {};
    expect(Number(expiresAt) * 1_000).toBeGreaterThan(world.time.nowMs() + 24 * HOUR_MS);
  });

  it("a claim is void a week after its expiry, because its batch could have expired", async () => {
    const world = await start();
    await abandon(world, "x");
    await pass(world, 9 * DAY_MS + HOUR_MS);
    await look(world);
    await world.time.finish(publish(world.b, "x", '"other"'));
    expect(await timesInLog(world, '"other"')).toBe(1);
    const late = codeOf(publish(world.c, "x", '"keyed"'));
    expect(await world.time.finish(late)).toBe("idempotency-key-reused");
  });

  it("a long search continues in each attempt where the last one ended", async () => {
    const world = await start();
    await abandon(world, "x");
    for (let n = 0; n < 1_200; n++) await world.time.finish(publish(world.c));
    await world.time.finish(publish(world.b, "x", '"keyed"'));
    expect(Number(rowOf(world, "x")?.cf)).toBe(FIRST_FREE + 1_200);
    expect(await timesInLog(world)).toBe(1);
  });
});

describe("a claim without an answer", () => {
  it("[publish.unavailable] writes nothing, and is no hindrance for the next", async () => {
    const world = await start();
    answerPuts(world, 0, "timeout-after");
    const answers = [publish(world.a, "x", '"keyed"'), publish(world.a, "y", '"waits"')].map(
      codeOf,
    );
    for (const answer of answers) {
      expect(await world.time.finish(answer)).toBe("store-unavailable");
    }
    expect(await timesInLog(world)).toBe(0);
    world.store.setFaults();
    const next = await world.time.finish(publish(world.b, "x", '"keyed"'));
    expect(next.replayed).toBe(false);
    expect(await timesInLog(world)).toBe(1);
  });
});

it("a request of several items makes no claim, because it is one transaction with its receipt", async () => {
  const world = await start();
  const { a, b, time } = world;
  const events = Array.from({ length: 8 }, (_, n) => ({
    attributes: { key: `k${n}`, headers: { filler: "x".repeat(1_000) } },
    data: JSON.stringify("y".repeat(60_000)) as RawJson,
  }));
  const send = async ({ log, recall }: LogProcess) => log.publish(await recall(), events, "large");
  const first = await time.finish(send(a));
  expect(rowOf(world, "large")?.c).toBeUndefined();
  expect(await time.finish(send(b))).toEqual({ ...first, replayed: true });
});
