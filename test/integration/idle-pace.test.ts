import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultTenant, type RawJson } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createMovedClock } from "../support/moved-clock.ts";
import { createTestTable } from "../support/test-table.ts";

const SECOND_MS = 1_000;
/** The time for which the subscription is idle. */
const IDLE_MS = 5 * 60 * SECOND_MS;

let place: Awaited<ReturnType<typeof createTestTable>>;
const closers: (() => void)[] = [];

beforeAll(async () => {
  place = await createTestTable();
  return () => place.client.destroy();
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Two servers of one stream with a subscription, and a clock that the test moves for both. */
async function open() {
  const { clock, pass } = createMovedClock();
  const serve = () => {
    const { endpoint, tableName } = place;
    const keys = { adminKey: "admin", cursorKey: "cursor" };
    const region = LOCAL_REGION;
    const opened = openLedger({ ...{ endpoint, tableName, region, clock }, ...keys });
    closers.push(opened.close);
    return opened;
  };
  const [here, there] = [serve(), serve()];
  const stream = `s-${randomUUID()}`;
  const create = () =>
    there.ledger.createStream(defaultTenant, {
      ...{ name: stream, description: "", retentionHours: 24, archiveDays: null },
      ...{ partitions: 1, compaction: "key" },
    });
  const publish = (key: string) =>
    there.ledger.publish(defaultTenant, stream, [{ attributes: { key }, data: "1" as RawJson }]);
  const subscribe = () =>
    there.ledger.createSubscription(defaultTenant, stream, { name: "s", start: "latest" });
  await create();
  await publish("first");
  await subscribe();
  const poll = () => here.ledger.poll(defaultTenant, stream, "s", { limit: 1 });
  return {
    ...{ stream, create, publish, subscribe, poll, pass },
    there: there.ledger,
    client: here.client,
    meter: meterCapacity(here.client),
    /** Polls once a second while the subscription is idle, for five minutes if nothing is said. */
    rest: async (idleMs = IDLE_MS) => {
      for (let ms = 0; ms < idleMs; ms += SECOND_MS) {
        expect((await poll()).events).toEqual([]);
        pass(SECOND_MS);
      }
    },
  };
}

type Server = Awaited<ReturnType<typeof open>>;

/** Returns the milliseconds until a poll, once a second, shows what is expected. */
async function untilSeen({ poll, pass }: Server, isSeen: (found: string) => boolean) {
  for (let ms = 0; ms <= 60 * SECOND_MS; ms += SECOND_MS) {
    const found = await poll().then(
      ({ events }) => events.map(({ key }) => key).join(),
      ({ code }) => code,
    );
    if (isSeen(found)) return ms;
    pass(SECOND_MS);
  }
  return Infinity;
}

describe("idle polls", () => {
  it.each([
    { pace: 1, budget: 1.03 },
    { pace: 2, budget: 1.06 },
    { pace: 5, budget: 1.13 },
    { pace: 10, budget: 1.23 },
  ])(
    "[poll.idle-cost] polls each $pace s for five minutes cost $budget read units on average at most",
    async ({ pace, budget }) => {
      const { poll, pass, meter } = await open();
      await poll();
      const polls = IDLE_MS / SECOND_MS / pace;
      const { read, write, requests } = await meter.measure(async () => {
        for (let n = 0; n < polls; n++) {
          pass(pace * SECOND_MS);
          expect((await poll()).events).toEqual([]);
        }
      });
      const units = read / polls;
      console.log(
        `capacity: idle polls each ${pace} s: ${units.toFixed(3)} read units, ${JSON.stringify(requests)}`,
      );
      expect(units).toBeLessThanOrEqual(budget);
      expect(write).toBe(0);
    },
    60_000,
  );

  it.each([
    { process: "new", budget: 1.2 },
    { process: "warm", budget: 1.18 },
  ])(
    "[poll.idle-cost] polls at the advised pace in a $process process cost $budget read units on average at most",
    async ({ process, budget }) => {
      const { poll, pass, meter } = await open();
      const rest = async (idleMs: number) => {
        let polls = 0;
        for (let ms = 0; ms < idleMs; polls++) {
          const { events, nextPollMs } = await poll();
          expect(events).toEqual([]);
          pass(nextPollMs);
          ms += nextPollMs;
        }
        return polls;
      };
      if (process === "warm") await rest(IDLE_MS);
      let polls = 0;
      const { read, requests } = await meter.measure(async () => {
        polls = await rest(6 * IDLE_MS);
      });
      console.log(
        `capacity: ${polls} polls at the advised pace: ${(read / polls).toFixed(3)} read units, ${JSON.stringify(requests)}`,
      );
      expect(read / polls).toBeLessThanOrEqual(budget);
    },
    60_000,
  );

  it("[poll.idle-cost] a read that may be late confirms what is known, and never replaces it", async () => {
    const server = await open();
    await server.rest();
    const { client } = server;
    let late = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        const { ConsistentRead: isStrong, KeyConditionExpression } = args.input as {
          readonly ConsistentRead?: boolean;
          readonly KeyConditionExpression?: string;
        };
        const answer = await next(args);
        if (isStrong !== true && KeyConditionExpression !== undefined && late++ === 0) {
          // The state of before the subscription was created.
          Object.assign(answer.output, { Items: [], Count: 0 });
        }
        return answer;
      },
      { step: "initialize", name: "late" },
    );
    await server.rest(60 * SECOND_MS);
    expect(late).toBeGreaterThan(0);
  });

  it("[poll.idle-cost] after five idle minutes, a seek through another process is seen in 30 s", async () => {
    const server = await open();
    await server.rest();
    await server.there.seek(defaultTenant, server.stream, "s", { to: "earliest" });
    const ms = await untilSeen(server, (found) => found === "first");
    expect(ms).toBeLessThanOrEqual(30 * SECOND_MS);
  });

  it("[poll.idle-cost] soon after a change, a seek through another process is seen in 5 s", async () => {
    const server = await open();
    await server.rest();
    await server.there.seek(defaultTenant, server.stream, "s", { to: "earliest" });
    await untilSeen(server, (found) => found === "first");
    await server.there.seek(defaultTenant, server.stream, "s", { to: "latest" });
    const ms = await untilSeen(server, (found) => found === "");
    expect(ms).toBeLessThanOrEqual(5 * SECOND_MS);
  });

  it("[poll.idle-cost] a deletion through another process is seen in 30 s, or with the next event", async () => {
    const servers = [await open(), await open()] as const;
    for (const server of servers) {
      await server.rest();
      await server.there.deleteSubscription(defaultTenant, server.stream, "s");
    }
    const [quiet, busy] = servers;
    const ms = await untilSeen(quiet, (found) => found === "subscription-not-found");
    expect(ms).toBeLessThanOrEqual(30 * SECOND_MS);
    await busy.publish("second");
    await expect(busy.poll()).rejects.toMatchObject({ code: "subscription-not-found" });
  });

  it("[stream.delete] a poll that parked keys hold back sees the end of a stream", async () => {
    const { there, stream, poll, pass } = await open();
    const of = [defaultTenant, stream] as const;
    await there.patchStream(...of, { partitions: 2 });
    // The two partitions hold more parked keys than one can take from them.
    const keys = Array.from({ length: 120 }, (_, n) => `k${n}`);
    const events = keys.map((key) => ({ attributes: { key }, data: "1" as RawJson }));
    const { events: published } = await there.publish(...of, events);
    for (const [n, { sequence }] of published.entries()) {
      const key = keys[n] ?? "";
      await there.park(...of, "s", { sequence, key, reason: "" });
    }
    const page = await there.poll(...of, "s", { limit: 1_000 });
    await there.commit(...of, "s", page.cursor);
    await there.patchStream(...of, { partitions: 1 });
    await there.publish(...of, [{ attributes: { key: "later" }, data: "1" as RawJson }]);
    expect(await poll()).toMatchObject({ events: [], caughtUp: false });
    pass(10 * SECOND_MS);
    await there.deleteStream(...of);
    await expect(poll()).rejects.toMatchObject({ code: "stream-not-found" });
  });

  it("[stream.delete] an idle poll sees the end of a stream, and a new life of its name, at once", async () => {
    const server = await open();
    // After five minutes, the server may just have read the stream's row, which it trusts for 5 s.
    await server.rest(IDLE_MS / 2);
    await server.publish("second");
    await server.publish("third");
    await server.there.deleteStream(defaultTenant, server.stream);
    await expect(server.poll()).rejects.toMatchObject({ code: "stream-not-found" });
    await server.create();
    await server.subscribe();
    await server.publish("of the new life");
    expect((await server.poll()).events.map(({ key }) => key)).toEqual(["of the new life"]);
  });
});
