import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests keys that are parked because an event fails. */
export function parkingContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("a parked key", () => parked(api));
  describe("a parked key that is retried", () => retried(api));
  describe("a parked key whose event is skipped", () => skipped(api));
  describe("parking", () => refused(api));
  describe("an event that fails again and again", () => counted(api));
}

const S = "s";
const event = (key: string, data: number | string) => ({ key, data });
const dataOf = (events: readonly LedgerEvent[]) => events.map(({ data }) => data);

/** Polls and commits until nothing is left. Returns everything that was delivered. */
async function drain(api: Client, stream: string, query: object = {}): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (;;) {
    const { body } = await api.poll(stream, S, query);
    seen.push(...dataOf(body.events));
    await api.commit(stream, S, body.cursor);
    if (body.caughtUp) return seen;
  }
}

const open = async (api: Client, config: object = {}, partitions = 1) => {
  const stream = await api.newStream({ partitions });
  await api.createSubscription(stream, { name: S, ...config });
  return stream;
};

function parked(api: Client): void {
  let stream: string;
  beforeEach(async () => {
    stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3), event("c", 4)]);
  });

  it("[park.key] a parked key waits with its later events while everything else continues", async () => {
    const { body: first } = await api.poll(stream, S);
    expect(dataOf(first.events)).toEqual([1, 2, 3, 4]);
    const done = await api.park(stream, S, { sequence: 1, reason: "no such customer" });
    expect(done).toMatchObject({ key: "a", sequence: 1, status: "parked" });
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([2, 4]);
    await api.commit(stream, S, first.cursor);
    await api.publish(stream, [event("a", 5), event("b", 6)]);
    const { body } = await api.poll(stream, S);
    expect(dataOf(body.events)).toEqual([6]);
    expect(body).toMatchObject({ caughtUp: true, lag: { events: 0 } });
    expect(await api.getSubscription(stream, S)).toMatchObject({ parkedKeys: 1, keysBehind: 2 });
    expect((await api.listParked(stream, S)).parked).toEqual([done]);
  });

  it("[park.key] a parked key stays parked at its event, however often the request is sent", async () => {
    const done = await api.park(stream, S, { sequence: 1, key: "a", reason: "first" });
    expect(await api.park(stream, S, { sequence: 3, reason: "second" })).toEqual(done);
    expect(await api.park(stream, S, { sequence: 1 })).toEqual(done);
  });

  it("[park.key] a parked key waits from an earlier event when that one is parked later", async () => {
    await api.park(stream, S, { sequence: 3 });
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([1, 2, 4]);
    expect(await api.park(stream, S, { sequence: 1 })).toMatchObject({ sequence: 1 });
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([2, 4]);
  });

  it("[park.key] a key can be parked at an event that is already committed", async () => {
    expect(await drain(api, stream)).toEqual([1, 2, 3, 4]);
    await api.park(stream, S, { sequence: 3 });
    await api.publish(stream, [event("a", 5), event("c", 6)]);
    expect(await drain(api, stream)).toEqual([6]);
    await api.release(stream, S, "a", "retry");
    expect(await drain(api, stream)).toEqual([3, 5]);
  });

  it("[park.seek] a seek frees parked keys", async () => {
    await api.park(stream, S, { sequence: 1 });
    await api.seek(stream, S, "earliest");
    expect((await api.listParked(stream, S)).parked).toEqual([]);
    expect(await drain(api, stream)).toEqual([1, 2, 3, 4]);
  });

  it("[list.page] parked keys are listed page by page", async () => {
    const keys = Array.from({ length: 9 }, (_, n) => `ключ/${n}#`);
    const { body } = await api.publish(
      stream,
      keys.map((key) => event(key, 0)),
    );
    for (const { sequence } of body.events) await api.park(stream, S, { sequence });
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await api.listParked(stream, S, { limit: 4, cursor });
      expect(page.parked.length).toBeLessThanOrEqual(4);
      seen.push(...page.parked.map(({ key }) => key));
      if (page.cursor === null) break;
      ({ cursor } = page);
    }
    expect(seen).toEqual(keys);
    await refusal(api.listParked(stream, S, { cursor: "b3JkZXJz" }), "invalid-cursor");
  });

  it("[lease.share] a key is parked for every worker", async () => {
    const wide = await open(api, {}, 8);
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const { body } = await api.publish(
      wide,
      keys.flatMap((key) => [event(key, `${key}.1`), event(key, `${key}.2`)]),
    );
    const sequence = body.events[10]?.sequence ?? 0;
    await api.park(wide, S, { sequence, key: "k5" });
    for (const consumer of ["x", "y", "x", "y"]) await api.poll(wide, S, { consumer });
    const take = async (consumer: string) => {
      const { body: page } = await api.poll(wide, S, { consumer, limit: 1_000 });
      await api.commit(wide, S, page.cursor);
      return dataOf(page.events);
    };
    const rest = keys.filter((key) => key !== "k5").flatMap((key) => [`${key}.1`, `${key}.2`]);
    expect([...(await take("x")), ...(await take("y"))].sort()).toEqual(rest.sort());
    expect(await api.release(wide, S, "k5", "retry")).toMatchObject({ status: "retrying" });
    const freed = [...(await take("x")), ...(await take("y"))];
    expect(freed).toEqual(["k5.1", "k5.2"]);
    expect((await api.listParked(wide, S)).parked).toEqual([]);
  });
}

function retried(api: Client): void {
  let stream: string;
  beforeEach(async () => {
    stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3)]);
    await api.park(stream, S, { sequence: 1 });
    expect(await drain(api, stream)).toEqual([2]);
    await api.publish(stream, [event("a", 4), event("b", 5)]);
  });

  it("[park.retry] a retry delivers waiting events first and in order, and frees the key once they are committed", async () => {
    expect(await api.release(stream, S, "a", "retry")).toEqual({ key: "a", status: "retrying" });
    const { body: queued } = await api.poll(stream, S);
    expect(dataOf(queued.events)).toEqual([1, 3]);
    expect(queued).toMatchObject({ phase: "log", caughtUp: false });
    // Events that are not committed are not lost.
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([1, 3]);
    expect((await api.listParked(stream, S)).parked).toMatchObject([{ status: "retrying" }]);
    expect((await api.commit(stream, S, queued.cursor)).body.stale).toBe(false);
    expect((await api.listParked(stream, S)).parked).toEqual([]);
    expect((await api.commit(stream, S, queued.cursor)).body.stale).toBe(true);
    expect(await drain(api, stream)).toEqual([4, 5]);
  });

  it("[park.retry] a retry is read page by page, and committed each time or at the end", async () => {
    await api.release(stream, S, "a", "retry");
    const { body: one } = await api.poll(stream, S, { limit: 1 });
    const { body: two } = await api.poll(stream, S, { limit: 1, after: one.cursor });
    const { body: three } = await api.poll(stream, S, { limit: 1, after: two.cursor });
    expect([one, two, three].map(({ events }) => dataOf(events))).toEqual([[1], [3], [5]]);
    await api.commit(stream, S, one.cursor);
    expect((await api.listParked(stream, S)).parked).toMatchObject([{ sequence: 3 }]);
    await api.commit(stream, S, three.cursor);
    // Event 4 was withheld by the third page, so it still waits.
    expect(await drain(api, stream)).toEqual([4]);
  });

  it("[park.retry] a retry invalidates pages that were read while the key was parked", async () => {
    const { body: ahead } = await api.poll(stream, S);
    expect(dataOf(ahead.events)).toEqual([5]);
    await api.release(stream, S, "a", "retry");
    const { body: queued } = await api.poll(stream, S);
    await api.commit(stream, S, queued.cursor);
    const { body: receipt } = await api.commit(stream, S, ahead.cursor);
    expect(receipt).toMatchObject({ stale: true, lag: { events: 2 } });
    expect(dataOf((await api.poll(stream, S, { after: ahead.cursor })).body.events)).toEqual([
      4, 5,
    ]);
    expect(await drain(api, stream)).toEqual([4, 5]);
  });

  it("[park.retry] counts what was read before it, until the key is free", async () => {
    const { body: ahead } = await api.poll(stream, S);
    expect(dataOf(ahead.events)).toEqual([5]);
    await api.release(stream, S, "a", "retry");
    const { body: receipt } = await api.commit(stream, S, ahead.cursor);
    expect(receipt).toMatchObject({ stale: false, redelivers: "nothing", lag: { events: 0 } });
    // The retry delivers what that page withheld, in order.
    expect(await drain(api, stream)).toEqual([1, 3, 4]);
    expect((await api.listParked(stream, S)).parked).toEqual([]);
  });

  it("[sub.commit-void] a void commit reports what is delivered again, and why", async () => {
    const { body: ahead } = await api.poll(stream, S);
    await api.release(stream, S, "a", "retry");
    const { body: queued } = await api.poll(stream, S);
    const { body: done } = await api.commitAndPoll(stream, S, { commit: queued.cursor });
    expect(done).toMatchObject({ stale: false, redelivers: "nothing", redeliversBecause: [] });
    const { body: receipt } = await api.commit(stream, S, ahead.cursor);
    const because = { redelivers: "all", redeliversBecause: ["key-released"] };
    expect(receipt).toMatchObject({ stale: true, ...because });
    const { body: page } = await api.commitAndPoll(stream, S, { commit: ahead.cursor });
    expect(page).toMatchObject({ stale: true, ...because, committed: receipt.committed });
    expect(dataOf(page.events)).toEqual([4, 5]);
  });

  it("[park.retry] a retry stops where it fails again, after the events that succeeded", async () => {
    await api.release(stream, S, "a", "retry");
    const { body: queued } = await api.poll(stream, S);
    expect(await api.park(stream, S, { sequence: 3 })).toMatchObject({ sequence: 3 });
    expect((await api.commit(stream, S, queued.cursor)).body.stale).toBe(true);
    expect(await drain(api, stream)).toEqual([5]);
    await api.release(stream, S, "a", "retry");
    // A page of the first attempt has no effect on the second.
    expect((await api.commit(stream, S, queued.cursor)).body.stale).toBe(true);
    expect(await drain(api, stream)).toEqual([3, 4]);
  });

  it("[park.retry] a retry frees the key at once when it has no events before the position", async () => {
    const { body } = await api.publish(stream, event("d", 6));
    await api.park(stream, S, { sequence: body.events[0]?.sequence ?? 0 });
    expect(await api.release(stream, S, "d", "retry")).toEqual({ key: "d", status: "free" });
    expect(await drain(api, stream)).toEqual([5, 6]);
  });

  it("[park.retry] a retry wakes a waiting poll", async () => {
    expect(await drain(api, stream)).toEqual([5]);
    const waiting = api.poll(stream, S, { waitSeconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await api.release(stream, S, "a", "retry");
    expect(dataOf((await waiting).body.events)).toEqual([1, 3, 4]);
  });
}

function skipped(api: Client): void {
  it("[park.skip] a skip continues after the failed event", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("a", 2), event("b", 3)]);
    await api.park(stream, S, { sequence: 1 });
    expect(await drain(api, stream)).toEqual([3]);
    const other = api.release(stream, S, "a", "skip", { sequence: 2 });
    expect(await refusal(other, "not-parkable")).toMatchObject({ sequence: 1 });
    const named = { sequence: 1 };
    expect(await api.release(stream, S, "a", "skip", named)).toMatchObject({ status: "retrying" });
    await refusal(api.release(stream, S, "a", "skip"), "not-parkable");
    expect(await drain(api, stream)).toEqual([2]);
    await refusal(api.release(stream, S, "a", "skip"), "parked-key-not-found");
  });

  it("[park.skip] a skipped key is free once a commit passes the event", async () => {
    const stream = await open(api);
    await api.publish(stream, event("a", 1));
    await api.park(stream, S, { sequence: 1 });
    await api.release(stream, S, "a", "skip");
    expect(await drain(api, stream)).toEqual([]);
    expect(await api.getSubscription(stream, S)).toMatchObject({ parkedKeys: 0 });
    await api.publish(stream, event("a", 2));
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([2]);
  });

  it("[park.skip] a skipped key is free at once when no other event waits", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2)]);
    await api.park(stream, S, { sequence: 1 });
    expect(await drain(api, stream)).toEqual([2]);
    expect(await api.release(stream, S, "a", "skip")).toEqual({ key: "a", status: "free" });
    await api.publish(stream, [event("a", 3)]);
    expect(await drain(api, stream)).toEqual([3]);
  });

  it("[park.skip] [poll.caught-up] a skip delivers the following events in the same page", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3), event("c", 4)]);
    await api.park(stream, S, { sequence: 1 });
    await api.release(stream, S, "a", "skip", { sequence: 1 });
    const { body } = await api.poll(stream, S);
    expect(body).toMatchObject({ caughtUp: true, consistent: true });
    expect(dataOf(body.events)).toEqual([2, 3, 4]);
    await api.commit(stream, S, body.cursor);
    expect(await drain(api, stream)).toEqual([]);
  });

  it("[park.skip] a skip lists the skipped event, and may be repeated", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3)]);
    await api.park(stream, S, { sequence: 1 });
    const named = { sequence: 1 };
    const first = await api.release(stream, S, "a", "skip", named);
    expect(await api.release(stream, S, "a", "skip", named)).toEqual(first);
    expect((await api.listParked(stream, S)).parked).toMatchObject([
      { key: "a", sequence: 1, status: "retrying" },
    ]);
    const other = api.release(stream, S, "a", "skip", { sequence: 3 });
    expect(await refusal(other, "not-parkable")).toMatchObject({ sequence: 1 });
  });

  it("[park.skip] a skip leaves out an event that is not committed yet", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("b", 0), event("a", 1), event("a", 2), event("b", 3)]);
    await api.park(stream, S, { sequence: 2 });
    await api.release(stream, S, "a", "skip");
    expect(await drain(api, stream)).toEqual([0, 2, 3]);
    await api.publish(stream, [event("a", 4)]);
    expect(await drain(api, stream)).toEqual([4]);
    expect((await api.listParked(stream, S)).parked).toEqual([]);
  });
}

function refused(api: Client): void {
  it("[park.retry] the event at the position proves nothing of the queue before it", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3), event("b", 4)]);
    await api.commit(stream, S, (await api.poll(stream, S, { limit: 2 })).body.cursor);
    await api.park(stream, S, { sequence: 1 });
    await api.release(stream, S, "a", "retry");
    // Event 3 is the next one after the position, and event 1 is not processed.
    expect(await api.park(stream, S, { sequence: 3 })).toMatchObject({ sequence: 1 });
    await api.release(stream, S, "a", "retry");
    expect(await drain(api, stream)).toEqual([1, 3, 4]);
  });

  it("[park.skip] a key that is being retried is parked before an event is skipped", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1), event("a", 2)]);
    await api.park(stream, S, { sequence: 1 });
    await api.commit(stream, S, (await api.poll(stream, S)).body.cursor);
    await api.release(stream, S, "a", "retry");
    await refusal(api.release(stream, S, "a", "skip"), "not-parkable");
    expect(await drain(api, stream)).toEqual([1, 2]);
  });

  it("[error.problem] a problem names what is wrong, and nothing is changed", async () => {
    const stream = await open(api, { filter: { keyPrefix: "a" } });
    await api.publish(stream, [event("a", 1), event("b", 2)]);
    const park = (body: object) => api.park(stream, S, body as { sequence: number });
    for (const [body, pointer] of [
      [{ sequence: 3 }, "/sequence"],
      [{ sequence: 0 }, "/sequence"],
      [{ sequence: 2 }, "/sequence"],
      [{ sequence: 1, key: "b" }, "/key"],
      [{ sequence: 1, key: "" }, "/key"],
      [{ sequence: 1, reason: "x".repeat(257) }, "/reason"],
      [{ sequence: 1, more: 1 }, "/more"],
      [{}, "/sequence"],
    ] as const) {
      const { errors } = await refusal(park(body), "invalid-request");
      expect(errors?.map((each) => each.pointer)).toEqual([pointer]);
    }
    await refusal(api.park(stream, "t", { sequence: 1 }), "subscription-not-found");
    await refusal(api.park("no-such", S, { sequence: 1 }), "stream-not-found");
    await refusal(api.release(stream, S, "a", "retry"), "parked-key-not-found");
    expect((await api.listParked(stream, S)).parked).toEqual([]);
    expect((await park({ sequence: 1, reason: "x".repeat(256) })).reason).toHaveLength(256);
  });

  it("[error.problem] a problem asks for the key where the sequence is not enough", async () => {
    const stream = await open(api, {}, 4);
    const { body } = await api.publish(stream, event("a", 1));
    const sequence = body.events[0]?.sequence ?? 0;
    const { errors } = await refusal(api.park(stream, S, { sequence }), "invalid-request");
    expect(errors).toMatchObject([{ pointer: "/key" }]);
    expect(await api.park(stream, S, { sequence, key: "a" })).toMatchObject({ key: "a" });
  });

  it("[park.limits] at most 100 keys can be parked", async () => {
    const stream = await open(api);
    const keys = Array.from({ length: 101 }, (_, n) => `k${n}`);
    await api.publish(
      stream,
      keys.map((key) => event(key, 0)),
    );
    for (let sequence = 1; sequence <= 100; sequence++) await api.park(stream, S, { sequence });
    await refusal(api.park(stream, S, { sequence: 101 }), "not-parkable");
    await api.release(stream, S, "k0", "skip");
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([0]);
    expect((await api.getSubscription(stream, S)).parkedKeys).toBe(100);
  });

  it("[park.snapshot] no key can be parked until the snapshot has ended", async () => {
    const stream = await api.newStream();
    await api.publish(stream, [event("a", 1)]);
    await api.compact(stream);
    await api.createSubscription(stream, { name: S, start: "bootstrap" });
    await refusal(api.park(stream, S, { sequence: 1 }), "not-parkable");
    const { body } = await api.poll(stream, S);
    expect(body.snapshotEnd).toBe(true);
    await api.commit(stream, S, body.cursor);
    expect(await api.park(stream, S, { sequence: 1 })).toMatchObject({ key: "a" });
  });

  it("[http.method] the routes of parking accept only their methods", async () => {
    const stream = await open(api);
    for (const route of ["park", "parked/a/retry", "parked/a/skip"]) {
      expect((await api.send({ path: `${at(stream, S)}/${route}` })).status).toBe(405);
    }
    const { status } = await api.send({ method: "POST", path: `${at(stream, S)}/parked` });
    expect(status).toBe(405);
  });
}

function counted(api: Client): void {
  const failing = async (stream: string, poison: unknown, limit: number, query: object = {}) => {
    const processed: unknown[] = [];
    const pages: number[] = [];
    for (let round = 0; round < 60; round++) {
      const { body } = await api.poll(stream, S, { limit, ...query });
      const events = dataOf(body.events);
      if (events.includes(poison)) pages.push(events.length);
      // The consumer crashes at the failing event, and commits nothing of a page that contains it.
      if (events.includes(poison)) continue;
      processed.push(...events);
      await api.commit(stream, S, body.cursor);
      if (body.caughtUp) return { processed, pages };
    }
    throw new Error("nothing was parked in 60 rounds");
  };

  it("[park.max-deliveries] a failing event is found in its page and parked with its key", async () => {
    const stream = await open(api, { maxDeliveries: 3 });
    const events = Array.from({ length: 40 }, (_, n) => event(`k${n % 7}`, n));
    await api.publish(stream, events);
    const { processed, pages } = await failing(stream, 17, 20);
    expect(pages).toEqual([20, 10, 5, 2, 1, 1]);
    expect(processed).toEqual(
      events.filter(({ key, data }) => key !== "k3" || Number(data) < 17).map(({ data }) => data),
    );
    const { parked } = await api.listParked(stream, S);
    expect(parked).toMatchObject([{ key: "k3", sequence: 18, status: "parked" }]);
    expect(parked[0]?.reason).toBe("delivered 6 times without being committed");
    await api.release(stream, S, "k3", "skip");
    expect(await drain(api, stream)).toEqual([24, 31, 38]);
  });

  it.each([
    [1, [1, 1, 1], 3],
    [3, [3, 1, 1], 3],
    [5, [5, 2, 1], 3],
    [9, [9, 4, 2, 1], 4],
  ])("[park.max-deliveries] halves what was delivered: %d events come as %j", async (...given) => {
    const [count, pages, times] = given;
    const stream = await open(api, { maxDeliveries: 3 });
    await api.publish(
      stream,
      Array.from({ length: count }, (_, n) => event(`k${n}`, n)),
    );
    expect((await failing(stream, 0, 1_000)).pages).toEqual(pages);
    expect((await api.listParked(stream, S)).parked).toMatchObject([
      { key: "k0", reason: `delivered ${times} times without being committed` },
    ]);
  });

  it("[park.max-deliveries] a key is parked again when its retry fails as often", async () => {
    const stream = await open(api, { maxDeliveries: 2 });
    await api.publish(stream, [event("a", 1), event("b", 2), event("a", 3)]);
    expect((await failing(stream, 1, 1)).processed).toEqual([2]);
    await api.release(stream, S, "a", "retry");
    const { processed, pages } = await failing(stream, 1, 10);
    expect([processed, pages]).toEqual([[], [2, 1]]);
    expect((await api.listParked(stream, S)).parked).toMatchObject([
      { status: "parked", reason: "delivered 2 times without being committed" },
    ]);
  });

  it("[park.max-deliveries] a failing event is found among the partitions of a worker", async () => {
    const stream = await open(api, { maxDeliveries: 2 }, 4);
    const events = Array.from({ length: 30 }, (_, n) => event(`k${n}`, n));
    await api.publish(stream, events);
    const { processed } = await failing(stream, 11, 100, { consumer: "w" });
    expect(processed.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      events.map(({ data }) => data).filter((data) => data !== 11),
    );
    expect((await api.listParked(stream, S)).parked).toMatchObject([{ key: "k11" }]);
  });

  it("[park.max-deliveries] without maxDeliveries nothing is counted and no key is parked", async () => {
    const stream = await open(api);
    await api.publish(stream, [event("a", 1)]);
    for (let n = 0; n < 12; n++) await api.poll(stream, S, { limit: 1 });
    expect(dataOf((await api.poll(stream, S)).body.events)).toEqual([1]);
    const made = (maxDeliveries: number) =>
      api.createSubscription(stream, { name: "t", maxDeliveries });
    for (const wrong of [0, 1, 1_001, 2.5]) await refusal(made(wrong), "invalid-request");
    expect((await made(1_000)).body.maxDeliveries).toBe(1_000);
    await refusal(made(999), "subscription-exists");
  });
}
