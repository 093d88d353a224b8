import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { beforeIdle } from "./before-idle.ts";
import { at, type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests workers that share a subscription. */
export function workersContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("workers that share a subscription", () => sharing(api));
  // These tests wait for leases to end most of the time.
  describe("a worker that was superseded", { concurrent: true }, () => fencing(api));
  describe("many workers of one partition", { concurrent: true }, () => standingBy(api));
}

const COUNT = 96;
const events = Array.from({ length: COUNT }, (_, n) => ({ key: `k${n % 24}`, data: n }));
const dataOf = (page: readonly LedgerEvent[]) => page.map(({ data }) => data as number);
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

/** Polls in turn until the shares no longer change. Returns what each worker received last. */
async function settle(api: Client, stream: string, consumers: readonly string[]) {
  const pages = new Map<string, Awaited<ReturnType<Client["poll"]>>["body"]>();
  for (let round = 0; round < 4; round++) {
    for (const consumer of consumers) {
      pages.set(consumer, (await api.poll(stream, "s", { consumer, limit: 1_000 })).body);
    }
  }
  return (consumer: string) => {
    const page = pages.get(consumer);
    if (page === undefined) throw new Error(`${consumer} has not polled`);
    return page;
  };
}

const sharesOf = async (api: Client, stream: string) => {
  const { members } = await api.getSubscription(stream, "s");
  return Object.fromEntries(members.map(({ consumer, share }) => [consumer, share]));
};

function sharing(api: Client): void {
  let stream: string;
  beforeEach(async () => {
    stream = await api.newStream({ partitions: 8 });
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, events);
  });

  it("[lease.share] one worker gets everything, and several get equal parts", async () => {
    const alone = (await settle(api, stream, ["a"]))("a");
    expect(sorted(dataOf(alone.events))).toEqual(sorted(events.map(({ data }) => data)));
    expect(await sharesOf(api, stream)).toEqual({ a: 1 });
    const page = await settle(api, stream, ["a", "b", "c"]);
    const received = ["a", "b", "c"].flatMap((consumer) => dataOf(page(consumer).events));
    expect(sorted(received)).toEqual(sorted(events.map(({ data }) => data)));
    expect(Object.values(await sharesOf(api, stream)).sort()).toEqual([2 / 8, 3 / 8, 3 / 8]);
  });

  it("[lease.share] a key stays with one worker, in order", async () => {
    const page = await settle(api, stream, ["a", "b"]);
    const keysOf = (consumer: string) => new Set(page(consumer).events.map(({ key }) => key));
    const [a, b] = [keysOf("a"), keysOf("b")];
    expect([...a].filter((key) => b.has(key))).toEqual([]);
    expect(a.size + b.size).toBe(24);
    for (const [, ofKey] of Map.groupBy(page("a").events, ({ key }) => key)) {
      const sequences = ofKey.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.toSorted((x, y) => x - y));
    }
  });

  it("[lease.share] lag and caughtUp refer to the share", async () => {
    const page = await settle(api, stream, ["a", "b"]);
    expect(page("a")).toMatchObject({ caughtUp: true, lag: { events: 0, seconds: 0 } });
    const { body: receipt } = await api.commit(stream, "s", page("a").cursor);
    expect(receipt.stale).toBe(false);
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(page("b").events.length);
    const some = (await api.poll(stream, "s", { consumer: "b", limit: 5 })).body;
    expect(some.caughtUp).toBe(false);
    expect(some.lag.events).toBe(page("b").events.length - 5);
  });

  it("[lease.share] a leaving worker hands over at once and without loss", async () => {
    const page = await settle(api, stream, ["a", "b"]);
    await api.commit(stream, "s", page("a").cursor);
    await api.leave(stream, "s", "b");
    expect(await sharesOf(api, stream)).toEqual({ a: 0.5 });
    const rest = (await settle(api, stream, ["a"]))("a");
    expect(sorted(dataOf(rest.events))).toEqual(sorted(dataOf(page("b").events)));
    expect(await sharesOf(api, stream)).toEqual({ a: 1 });
    await api.leave(stream, "s", "never-heard-of");
  });

  it("[lease.fencing] a worker that left may commit until another takes over", async () => {
    const page = await settle(api, stream, ["a", "b"]);
    await api.leave(stream, "s", "b");
    expect((await api.commit(stream, "s", page("b").cursor)).body.stale).toBe(false);
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(page("a").events.length);
  });

  it("[lease.share] a worker reads ahead with after, and commits in one request", async () => {
    const seen: number[] = [];
    for (let commit: string | undefined, caughtUp = false; !caughtUp; ) {
      const { body } = await api.commitAndPoll(stream, "s", {
        consumer: "a",
        limit: 10,
        ...(commit === undefined ? {} : { commit }),
      });
      seen.push(...dataOf(body.events));
      ({ cursor: commit, caughtUp } = body);
    }
    expect(sorted(seen)).toEqual(sorted(events.map(({ data }) => data)));
    await api.seek(stream, "s", "earliest");
    const ahead: number[] = [];
    for (let after: string | undefined, caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, "s", { consumer: "a", limit: 10, after });
      ahead.push(...dataOf(body.events));
      ({ cursor: after, caughtUp } = body);
    }
    expect(sorted(ahead)).toEqual(sorted(events.map(({ data }) => data)));
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(COUNT);
  });

  it("[error.problem] invalid names of workers are refused", async () => {
    for (const consumer of ["", "a b", "a#b", "-a", "a/b", "x".repeat(129)]) {
      await refusal(api.poll(stream, "s", { consumer }), "invalid-request");
      await refusal(api.leave(stream, "s", consumer), "invalid-request");
    }
    const made = (leaseSeconds: number) =>
      api.createSubscription(stream, { name: "t", leaseSeconds });
    for (const wrong of [0, 601, 1.5]) await refusal(made(wrong), "invalid-request");
    expect((await made(600)).body.leaseSeconds).toBe(600);
    await refusal(made(30), "subscription-exists");
  });
}

function fencing(api: Client): void {
  /** A lease of a second ends soon. Any other lasts as long as the test does. */
  const create = async (leaseSeconds = 120) => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s", leaseSeconds });
    await api.publish(stream, events.slice(0, 10));
    return stream;
  };

  /** A slow machine may let a lease of a second expire while the page is made. */
  const pageOfShare = async (stream: string, consumer: string) => {
    for (;;) {
      const { body } = await api.poll(stream, "s", { consumer, limit: 5 });
      if (body.events.length > 0) return body;
    }
  };

  it("[lease.fencing] a superseded worker cannot commit over its successor, nor poll its share", async () => {
    const stream = await create(1);
    const paused = await pageOfShare(stream, "a");
    await sleep(1_200);
    // The lease of the successor lasts as long as the test does.
    await api.patchSubscription(stream, "s", { leaseSeconds: 120 });
    const next = (await api.poll(stream, "s", { consumer: "b", limit: 3 })).body;
    expect(dataOf(next.events)).toEqual([0, 1, 2]);
    expect(
      (await api.poll(stream, "s", { consumer: "a", after: paused.cursor })).body,
    ).toMatchObject({ events: [], caughtUp: false });
    await refusal(api.commit(stream, "s", paused.cursor), "lease-lost");
    await refusal(api.commitAndPoll(stream, "s", { commit: paused.cursor }), "lease-lost");
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(10);
    expect((await api.commit(stream, "s", next.cursor)).body.stale).toBe(false);
    await refusal(api.commit(stream, "s", paused.cursor), "lease-lost");
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(7);
  });

  it("[lease.fencing] a worker may still commit when no other has taken over", async () => {
    const stream = await create(1);
    const paused = await pageOfShare(stream, "a");
    await sleep(1_200);
    expect((await api.commit(stream, "s", paused.cursor)).body.stale).toBe(false);
    expect((await api.getSubscription(stream, "s")).lag.events).toBe(5);
  });

  it("[lease.fencing] a superseded worker stays out when its former share has come back to it", async () => {
    const stream = await create(1);
    const first = await pageOfShare(stream, "a");
    await sleep(1_200);
    await api.poll(stream, "s", { consumer: "b" });
    await api.leave(stream, "s", "b");
    const again = (await api.poll(stream, "s", { consumer: "a", after: first.cursor })).body;
    expect(dataOf(again.events)).toEqual(events.slice(0, 10).map(({ data }) => data));
    await refusal(api.commit(stream, "s", first.cursor), "lease-lost");
    expect((await api.commit(stream, "s", again.cursor)).body.stale).toBe(false);
  });

  it("[lease.fencing] a commit without a lease is refused while a worker holds one", async () => {
    const stream = await create();
    const plain = (await api.poll(stream, "s", { limit: 2 })).body;
    await api.poll(stream, "s", { consumer: "a" });
    await refusal(api.commit(stream, "s", plain.cursor), "lease-lost");
    await api.leave(stream, "s", "a");
    expect((await api.commit(stream, "s", plain.cursor)).body.stale).toBe(false);
  });

  it("[cursor.bound] a worker's cursor is refused after a seek", async () => {
    const stream = await create();
    const { cursor } = (await api.poll(stream, "s", { consumer: "a", limit: 5 })).body;
    await api.seek(stream, "s", "earliest");
    await refusal(api.commit(stream, "s", cursor), "invalid-cursor");
  });
}

function standingBy(api: Client): void {
  it("[lease.standby] one worker works, the others wait and take over when it leaves", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, events.slice(0, 3));
    const poll = (consumer: string, waitSeconds = 0) =>
      api.poll(stream, "s", { consumer, waitSeconds });
    expect(dataOf((await poll("a")).body.events)).toEqual([0, 1, 2]);
    const waiting = [poll("b", 20), poll("c", 20)];
    const all = async () => expect(await sharesOf(api, stream)).toEqual({ a: 1, b: 0, c: 0 });
    await vi.waitFor(all, { timeout: 10_000 });
    await api.leave(stream, "s", "a");
    const next = await beforeIdle(api, 8, Promise.race(waiting));
    expect(dataOf(next.body.events)).toEqual([0, 1, 2]);
    for (const consumer of ["b", "c"]) await api.leave(stream, "s", consumer);
    await Promise.all(waiting);
  });

  it("[lease.standby] a standby takes over from a worker that is silent for the lease", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s", leaseSeconds: 2 });
    await api.publish(stream, events.slice(0, 3));
    const began = performance.now();
    await api.poll(stream, "s", { consumer: "a" });
    // A worker without a share waits for half of the lease.
    for (let polls = 1; ; polls++) {
      const { body } = await api.poll(stream, "s", { consumer: "b", waitSeconds: 20 });
      expect(polls).toBeLessThanOrEqual(4);
      if (body.events.length === 0) continue;
      expect(performance.now() - began).toBeGreaterThan(1_990);
      expect(dataOf(body.events)).toEqual([0, 1, 2]);
      break;
    }
  });

  it("[lease.standby] a standby takes over from a worker that is silent while its poll waits", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s", leaseSeconds: 2 });
    const began = performance.now();
    // The answer is not read, as if the worker had stopped.
    const waiting = api.poll(stream, "s", { consumer: "a", waitSeconds: 20 });
    await sleep(200);
    for (let polls = 1; ; polls++) {
      const { body } = await api.poll(stream, "s", { consumer: "b", waitSeconds: 1 });
      expect(polls).toBeLessThanOrEqual(4);
      const { members } = await api.getSubscription(stream, "s");
      if (members.some(({ consumer, share }) => consumer === "b" && share === 1)) break;
      expect(body.events).toEqual([]);
    }
    await waiting;
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it("[lease.leave] leaving ends the worker's waiting poll, which takes nothing back", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    const waiting = api.poll(stream, "s", { consumer: "a", waitSeconds: 15 });
    await sleep(1_000);
    await api.leave(stream, "s", "a");
    expect((await waiting).body.events).toEqual([]);
    await api.publish(stream, { key: "k", data: 1 });
    const { body } = await api.poll(stream, "s", { consumer: "b" });
    expect(body.events).toMatchObject([{ data: 1 }]);
  });

  it("[lease.standby] a worker ends no snapshot that it has not read", async () => {
    const stream = await api.newStream({ partitions: 3 });
    await api.publish(stream, events.slice(0, 9));
    await api.compact(stream);
    await api.createSubscription(stream, { name: "s", start: "bootstrap" });
    const { body: read } = await api.poll(stream, "s", { consumer: "a", limit: 2 });
    const { body: empty } = await api.poll(stream, "s", { consumer: "b" });
    expect(empty).toMatchObject({ events: [], phase: "bootstrap", consistent: false });
    await refusal(api.seek(stream, "s", { cursor: empty.cursor }), "invalid-cursor");
    await api.leave(stream, "s", "a");
    const again = await api.commitAndPoll(stream, "s", { consumer: "b", commit: empty.cursor });
    expect(again.body).toMatchObject({ stale: true, phase: "bootstrap" });
    expect((await api.commit(stream, "s", empty.cursor)).body.stale).toBe(true);
    await api.leave(stream, "s", "b");
    await api.commit(stream, "s", read.cursor).catch(() => undefined);
    const state = new Map<string, unknown>();
    for (;;) {
      const { body } = await api.poll(stream, "s", { consumer: "c", limit: 2 });
      for (const { key, data } of body.events) state.set(key, data);
      await api.commit(stream, "s", body.cursor);
      if (body.caughtUp) break;
    }
    expect(state.size).toBeGreaterThanOrEqual(7);
    expect((await api.getSubscription(stream, "s")).phase).toBe("log");
    await api.deleteSubscription(stream, "s");
  });

  it("[sub.seek] a seek to a worker's cursor leaves other partitions in place", async () => {
    const stream = await api.newStream({ partitions: 8 });
    await api.createSubscription(stream, { name: "s" });
    await api.publish(stream, events);
    const page = await settle(api, stream, ["a", "b"]);
    const { body: ahead } = await api.seek(stream, "s", { cursor: page("a").cursor });
    expect(ahead.lag.events).toBe(page("b").events.length);
    await api.seek(stream, "s", "earliest");
    const again = await settle(api, stream, ["a", "b"]);
    await api.commit(stream, "s", again("a").cursor);
    await api.commit(stream, "s", again("b").cursor);
    const { body: empty } = await api.poll(stream, "s", { consumer: "a" });
    const sought = await api.seek(stream, "s", { cursor: empty.cursor });
    expect(sought.body).toMatchObject({ phase: "log", lag: { events: 0 } });
  });

  it("[http.method] the routes of workers accept only POST", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    for (const route of ["leave", "seek"]) {
      const { status } = await api.send({ path: `${at(stream, "s")}/${route}` });
      expect(status).toBe(405);
    }
  });
}
