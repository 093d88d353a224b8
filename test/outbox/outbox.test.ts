import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { EventLedger, LedgerProblem } from "../../packages/sdk/src/index.ts";
import { type FakeLedger, fakeLedger } from "../../packages/sdk/src/testing/index.ts";
import { postgresBin, startPostgres } from "../sdk/postgres.ts";
import { inPostgres, inSqlite, STREAM, type Step, type World } from "./databases.ts";
import { judge } from "./judge.ts";

const sqlite = inSqlite();
afterAll(() => sqlite.end());
const databases: [string, World][] = [["SQLite", sqlite]];
const bin = postgresBin();
if (bin === undefined) {
  console.log("PostgreSQL is not installed (apt-get install postgresql): only SQLite is tested.");
} else {
  const { pool, stop } = await startPostgres(bin);
  afterAll(stop);
  databases.push(["PostgreSQL", await inPostgres(pool)]);
}

/**
 * The lease has already ended when the next relay begins, so only the algorithm itself prevents
 * faults.
 */
const quick = { leaseMs: 0.001, pollMs: 1, eventsMax: 3 };
const drain = { ...quick, untilEmpty: true };

class Killed extends Error {}

/** Creates a process that is killed at one of its steps. After that it does nothing. */
function mortal(fake: FakeLedger, killAt: number, lossRate = 0) {
  let steps = 0;
  let isDead = false;
  const step: Step = () => {
    if (!isDead && steps === killAt) isDead = true;
    steps += 1;
    if (isDead) throw new Killed();
  };
  const fetch: typeof fake.fetch = async (url, init) => {
    step("before");
    if (Math.random() < lossRate) fake.lose(Math.random() < 0.5 ? "answer" : "request");
    const answer = await fake.fetch(url, init);
    step("after");
    return answer;
  };
  const ledger = new EventLedger({ ...fake.options, fetch, retry: { baseMs: 1, maxMs: 5 } });
  return { step, ledger, steps: () => steps };
}

describe.each(databases)("an outbox in %s", (name, world) => {
  let fake: FakeLedger;
  let ledger: EventLedger;
  const written = new Map<string, number>();
  beforeEach(async () => {
    fake = fakeLedger({ streams: [STREAM] });
    ledger = new EventLedger({ ...fake.options, retry: { baseMs: 1, maxMs: 5 } });
    written.clear();
    await world.clear();
  });
  const write = async (key: string, isEarly = false): Promise<void> => {
    await world.write(key, isEarly);
    written.set(key, (written.get(key) ?? 0) + 1);
  };
  const writeSome = async (): Promise<void> => {
    for (const key of ["a", "b", "a", "a", "b"]) await write(key);
  };
  const exact = (published: number) => ({ published, lost: 0, twice: 0, disordered: 0 });
  /** Ends like a killed process: it neither finishes nor releases anything. */
  const relayUntilKilled = async (killAt: number): Promise<number> => {
    const { step, ledger: own, steps } = mortal(fake, killAt);
    const { relay, close } = world.open(step);
    const ending = new AbortController();
    await relay(own, { ...drain, signal: ending.signal, onRetry: () => ending.abort() }).catch(
      () => {},
    );
    close();
    return steps();
  };

  it("publishes what was committed, and removes it", async () => {
    await writeSome();
    await world.open().relay(ledger, drain);
    expect(await judge(ledger, written)).toEqual(exact(5));
    expect(await world.waiting()).toBe(0);
  });

  it("loses, repeats and disorders nothing when a relay is killed at any step", async () => {
    await writeSome();
    const all = await relayUntilKilled(Number.POSITIVE_INFINITY);
    expect(all).toBeGreaterThan(20);
    for (let killAt = 0; killAt < all; killAt++) {
      fake = fakeLedger({ streams: [STREAM] });
      ledger = new EventLedger({ ...fake.options, retry: { baseMs: 1, maxMs: 5 } });
      written.clear();
      await world.clear();
      await writeSome();
      await relayUntilKilled(killAt);
      // Events that are written in the meantime must not change the batch that was begun.
      await write("a");
      await world.open().relay(ledger, drain);
      expect(await judge(ledger, written), `killed at step ${killAt}`).toEqual(exact(6));
    }
  });

  it("loses, repeats and disorders nothing with 12 writers, two relays, kills and lost answers", async () => {
    const stopping = new AbortController();
    const ended = [1, 2].map(async () => {
      while (!stopping.signal.aborted) {
        const lives = 5 + Math.floor(Math.random() * 60);
        const { step, ledger: own } = mortal(fake, lives, 0.1);
        const { relay, close } = world.open(step);
        const ending = new AbortController();
        const signal = AbortSignal.any([ending.signal, stopping.signal]);
        const onRetry = (error: unknown) => {
          if (error instanceof Killed) ending.abort();
        };
        await relay(own, { ...quick, eventsMax: 20, signal, onRetry }).catch(() => {});
        close();
      }
    });
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      for (let n = 0; n < 25; n++) {
        await write(`k${(writer + n) % 6}`, n % 2 === 0).catch(async (error: unknown) => {
          // SQLite has one connection here, which has one transaction at a time.
          if (!/within a transaction/.test(String(error))) throw error;
          n -= 1;
          await sleep(1);
        });
      }
    });
    await Promise.all(writers);
    stopping.abort();
    await Promise.all(ended);
    await world.open().relay(ledger, drain);
    expect(await judge(ledger, written)).toEqual(exact(300));
  });

  it.each([
    ["answer", "and the log still has it", () => {}],
    ["answer", "and its retention has passed", () => fake.expire(STREAM)],
    ["request", "and it was never sent", () => {}],
  ] as const)(
    "publishes a batch once whose %s was lost 25 hours ago, %s",
    async (what, _, then) => {
      await write("a");
      await write("a");
      fake.lose(what);
      const ending = new AbortController();
      const onRetry = () => ending.abort();
      const away = world.open().relay(ledger, { ...drain, signal: ending.signal, onRetry });
      await expect(away).rejects.toThrow();
      await fake.advance(25 * 3_600_000);
      await world.age(25);
      then();
      await write("a");
      await world.open().relay(ledger, drain);
      const published = fake.requests.filter(({ method }) => method === "POST").length;
      expect(published).toBe(what === "answer" ? 2 : 3);
      if (then.toString().includes("expire")) written.set("a", 3);
      const states = await ledger.request<{ items: unknown[] }>({
        method: "GET",
        path: `/streams/${STREAM}/compacted`,
      });
      expect(states.items).toMatchObject([{ key: "a", sequence: 3, data: { version: 3 } }]);
    },
  );

  it("publishes events of a transaction that was open while later ones were published", async () => {
    const commit = await world.hold("slow");
    written.set("slow", 1);
    const isAlone = name === "SQLite";
    if (isAlone) setTimeout(commit, 100);
    await write("a").catch(() => sleep(150).then(() => write("a")));
    // The answer to the batch is lost, so the batch is sent again after the other event has become
    // visible.
    fake.lose("answer");
    const outbox = world.open();
    const relaying = outbox.relay(ledger, drain);
    if (!isAlone) {
      while (fake.requests.length === 0) await sleep(1);
      await commit();
    }
    await relaying;
    await outbox.relay(ledger, drain);
    expect(await judge(ledger, written)).toEqual(exact(2));
  });

  it("waits while the ledger is away, and asks at most 20 times in a minute", async () => {
    const own = fakeLedger({ streams: [STREAM], virtualTime: true });
    await write("a");
    own.setAway(true);
    const stopping = new AbortController();
    const client = new EventLedger(own.options);
    const relaying = world.open().relay(client, { pollMs: 1, signal: stopping.signal });
    relaying.catch(() => {});
    for (let second = 0; second < 60; second++) await own.advance(1_000);
    expect(own.requests.length).toBeLessThanOrEqual(20);
    own.setAway(false);
    for (let tries = 0; tries < 100 && (await world.waiting()) > 0; tries++) {
      await own.advance(1_000);
      await sleep(60);
    }
    stopping.abort();
    expect(await judge(new EventLedger({ ...own.options }), written)).toEqual(exact(1));
  });

  it("publishes the other streams when one does not exist", async () => {
    await writeSome();
    await world.write("a", false, "missing");
    const relaying = world.open().relay(ledger, drain);
    await expect(relaying).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "stream-not-found"),
    );
    expect(await judge(ledger, written)).toEqual(exact(5));
    expect(await world.waiting()).toBe(1);
  });

  it("stops at a refused event, or parks its key until it is given up or published", async () => {
    await writeSome();
    const bad = (at: number) => {
      const answer = { code: "invalid-request", status: 400, retry: "never", title: "no" };
      return { ...answer, errors: [{ pointer: `/events/${at}/data`, detail: "is not welcome" }] };
    };
    const fetch: typeof fake.fetch = async (url, init) => {
      const { events = [] } = JSON.parse(init.body ?? "{}");
      const at = events.findIndex(
        ({ key, data }: { key: string; data: { version: number } }) =>
          key === "a" && data.version === 2,
      );
      if (at === -1) return fake.fetch(url, init);
      return {
        status: 400,
        headers: { get: () => "application/problem+json" },
        text: async () => JSON.stringify(bad(at)),
      };
    };
    const refusing = new EventLedger({ ...fake.options, fetch });
    await expect(world.open().relay(refusing, drain)).rejects.toSatisfy((error) =>
      LedgerProblem.is(error, "invalid-request"),
    );
    await world.open().relay(refusing, { ...drain, onRefused: "park" });
    const parked = await world.parked();
    expect(parked).toMatchObject([{ key: "a", reason: "invalid-request: is not welcome" }]);
    // Versions 2 and 3 of "a" wait. All other events are published.
    expect(await judge(ledger, new Map([...written, ["a", 1]]))).toEqual(exact(3));
    await world.retry(parked[0]?.position ?? "");
    await world.open().relay(ledger, drain);
    expect(await judge(ledger, written)).toEqual(exact(5));
    expect(await world.parked()).toEqual([]);
  });

  it("publishes the rows that were there before, unless their keys have newer events", async () => {
    await ledger.stream(STREAM).publish({ key: "known", data: "newer" });
    await write("a");
    const rows = async function* () {
      // The row changes between its reading and its publication.
      yield { key: "b", data: "old" };
      yield { key: "c", data: "old" };
      yield { key: "a", data: "old" };
      yield { key: "known", data: "old" };
      await write("d");
      yield { key: "d", data: "old" };
    };
    const outbox = world.open();
    // A relay of another process waits until the snapshot is complete.
    const stopping = new AbortController();
    const relaying = world.open().relay(ledger, { ...quick, signal: stopping.signal });
    relaying.catch(() => {});
    const report = await outbox.snapshot(ledger, { stream: STREAM, rows }, { leaseMs: 5_000 });
    expect(report.published + report.skipped).toBe(5);
    while ((await world.waiting()) > 0) await sleep(5);
    stopping.abort();
    const again = await outbox.snapshot(ledger, {
      stream: STREAM,
      rows: () => [
        { key: "b", data: "old" },
        { key: "a", data: "old" },
      ],
    });
    expect(again).toEqual({ published: 0, skipped: 2 });
    const states = await ledger.request<{ items: { key: string; data: unknown }[] }>({
      method: "GET",
      path: `/streams/${STREAM}/compacted`,
    });
    expect(Object.fromEntries(states.items.map(({ key, data }) => [key, data]))).toEqual({
      a: { version: 1 },
      b: "old",
      c: "old",
      d: { version: 1 },
      known: "newer",
    });
  });
});
