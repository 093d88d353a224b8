import { describe, expect, it } from "vitest";
import { createLedger, defaultTenant, type RawJson } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../dynamodb/virtual-clock.ts";

const TABLE = "clocks";
const OF = [defaultTenant, "orders"] as const;
const SUB = "s";
const PARTITIONS = 8;
const LEASE_SECONDS = 3;
const LEASE_MS = LEASE_SECONDS * 1_000;
const HOUR_MS = 3_600_000;
const POLL_EVERY_MS = 400;

/** Creates a table, a subscription of eight partitions, and processes whose clocks differ. */
async function createWorld(retentionHours = 360) {
  const random = seededRandom("clocks");
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({ tableName: TABLE, time, latencyMs: () => 2 });
  const open = (skewMs: number) => {
    const name = `process ${random.fraction()}`;
    const process = time.process(name, { skewMs });
    return createLedger({
      client: store.client(process) as never,
      tableName: TABLE,
      clock: process.clock,
      random: random.fork(name),
      cursorKeys: [{ id: 1, secret: Buffer.from("clocks") }],
    });
  };
  const right = open(0);
  const sleep = (ms: number) => new Promise<void>((resolve) => time.after(ms, () => resolve()));
  await time.finish(
    (async () => {
      await right.createStream(defaultTenant, {
        name: "orders",
        description: "",
        partitions: PARTITIONS,
        compaction: "key",
        retentionHours,
        archiveDays: null,
      });
      const config = { name: SUB, start: "earliest", leaseSeconds: LEASE_SECONDS } as const;
      await right.createSubscription(...OF, config);
    })(),
  );
  return { time, store, open, right, sleep, finish: time.finish };
}

type World = Awaited<ReturnType<typeof createWorld>>;
type Ledger = World["right"];

const eventsOf = (name: string) =>
  Array.from({ length: 4 * PARTITIONS }, (_, n) => ({
    attributes: { key: `${name} ${n}` },
    data: "1" as RawJson,
  }));

/**
 * Polls and commits until the time is over. Returns how often it lost a lease, and what it has
 * committed.
 */
async function work({ time, sleep }: World, ledger: Ledger, consumer: string, untilMs: number) {
  let lost = 0;
  let committed = 0;
  while (time.nowMs() < untilMs) {
    const page = await ledger.poll(...OF, SUB, { limit: 10, consumer });
    await sleep(POLL_EVERY_MS / 2);
    try {
      const { stale } = await ledger.commit(...OF, SUB, page.cursor);
      committed += stale ? 0 : page.events.length;
    } catch (error) {
      if ((error as { code?: string }).code !== "lease-lost") throw error;
      lost++;
    }
    await sleep(POLL_EVERY_MS / 2);
  }
  return { lost, committed };
}

const shareOf = async (ledger: Ledger, consumer: string): Promise<number> => {
  const { members } = await ledger.getSubscription(...OF, SUB);
  return members.find((member) => member.consumer === consumer)?.share ?? 0;
};

describe.each([
  ["an hour ahead", HOUR_MS],
  ["a year ahead", 365 * 24 * HOUR_MS],
  ["an hour late", -HOUR_MS],
])("a worker that came through a process that is %s", (_, skewMs) => {
  it("[clock.leases] [lease.standby] a worker keeps its share for a lease, and no longer", async () => {
    const world = await createWorld();
    const { open, right, sleep, time, finish } = world;
    const wrong = open(skewMs);
    await finish(
      (async () => {
        await wrong.poll(...OF, SUB, { limit: 10, consumer: "gone" });
        const silentMs = time.nowMs();
        while ((await shareOf(right, "here")) < 1) {
          await right.poll(...OF, SUB, { limit: 10, consumer: "here" });
          expect(time.nowMs() - silentMs).toBeLessThan(LEASE_MS + 2_000);
          await sleep(POLL_EVERY_MS);
        }
      })(),
    );
  });

  it("[clock.leases] a silent worker delays no other client, not even a commit without a worker", async () => {
    const { open, right, sleep, finish } = await createWorld();
    const wrong = open(skewMs);
    await finish(
      (async () => {
        await right.publish(...OF, eventsOf("first"));
        await wrong.poll(...OF, SUB, { limit: 10, consumer: "gone" });
        const { cursor } = await right.poll(...OF, SUB, { limit: 10 });
        await sleep(LEASE_MS + 1_000);
        expect(await right.commit(...OF, SUB, cursor)).toMatchObject({ stale: false });
      })(),
    );
  });

  it("[clock.leases] [lease.share] a worker works with others, each on its share", async () => {
    const world = await createWorld();
    const { open, right, time, sleep, finish } = world;
    const wrong = open(skewMs);
    const untilMs = time.nowMs() + 20 * LEASE_MS;
    const publish = async () => {
      for (let n = 0; time.nowMs() < untilMs; n++) {
        await right.publish(...OF, eventsOf(`${n}`));
        await sleep(2_000);
      }
    };
    const shares = async () => {
      const seen: (readonly [number, number])[] = [];
      await sleep(4 * LEASE_MS);
      while (time.nowMs() < untilMs - LEASE_MS) {
        seen.push([await shareOf(right, "a"), await shareOf(right, "b")]);
        await sleep(1_000);
      }
      return seen;
    };
    const [a, b, seen] = await finish(
      Promise.all([
        work(world, right, "a", untilMs),
        work(world, wrong, "b", untilMs),
        shares(),
        publish(),
      ]),
    );
    expect(seen.filter(([one, other]) => one !== 0.5 || other !== 0.5)).toEqual([]);
    expect(Math.max(a.lost, b.lost)).toBeLessThanOrEqual(3);
    expect(Math.min(a.committed, b.committed)).toBeGreaterThan(100);
  });
});

describe("a stream kept for an hour, and clocks that are off by up to three", () => {
  const publish = (by: Ledger, name: string) =>
    by.publish(...OF, [{ attributes: { key: name }, data: "1" as RawJson }]);
  const read = async (ledger: Ledger) => {
    const page = await ledger.browse(...OF, { from: "earliest", limit: 100 } as never);
    return page.events.map(({ key }) => key).sort();
  };

  it.each([
    ["ahead publishes and sweeps", 2 * HOUR_MS],
    ["nearly three hours ahead publishes and sweeps", 2.9 * HOUR_MS],
    ["late publishes and sweeps", -2 * HOUR_MS],
  ])("[clock.retention] no event is lost undelivered when a process %s", async (_, skew) => {
    const { open, right, sleep, finish } = await createWorld(1);
    const wrong = open(skew);
    await finish(
      (async () => {
        for (const name of ["1", "2", "3", "4", "5"]) await publish(right, name);
        await sleep(60_000);
        await publish(wrong, "6");
        for (let sweeps = 0; sweeps < 50; sweeps++) {
          await wrong.sweep();
          await right.sweep();
          await sleep(60_000);
        }
        expect(await read(right)).toEqual(["1", "2", "3", "4", "5", "6"]);
        const page = await right.poll(...OF, SUB, { limit: 100 });
        expect(page.events).toHaveLength(6);
      })(),
    );
  });

  it("[clock.retention] an event of a late publisher is kept for its hour", async () => {
    const { open, right, sleep, finish } = await createWorld(1);
    const late = open(-2 * HOUR_MS);
    await finish(
      (async () => {
        await publish(late, "late");
        for (let sweeps = 0; sweeps < 11; sweeps++) {
          await sleep(5 * 60_000);
          await open(0).sweep();
          await right.sweep();
        }
        expect(await read(right)).toEqual(["late"]);
      })(),
    );
  });

  it("a process releases at once what it has itself seen for an hour, and the rest three hours later", async () => {
    const { open, right, sleep, finish } = await createWorld(1);
    await finish(
      (async () => {
        await publish(right, "old");
        await sleep(HOUR_MS + 60_000);
        expect((await open(0).sweep()).floorsMoved).toBe(0);
        expect((await right.sweep()).floorsMoved).toBe(1);
        await publish(right, "new");
        await sleep(4 * HOUR_MS + 60_000);
        expect((await open(0).sweep()).floorsMoved).toBe(1);
        expect(await read(right)).toEqual([]);
      })(),
    );
  });
});

describe("times in the future that a process a year ahead has written", () => {
  const YEAR_MS = 365 * 24 * HOUR_MS;
  const checkpoints = ({ store }: World) =>
    store.items().filter(({ sk }) => sk === "CHECKPOINT") as unknown as {
      lookedAt: number;
      compactedThrough: number;
      floorAt: number;
    }[];

  it("[clock.bounds] the next check of a correct process replaces wrong times", async () => {
    const world = await createWorld(1);
    const { open, right, time, finish } = world;
    await finish(open(20 * 24 * HOUR_MS).sweep());
    expect(Math.max(...checkpoints(world).map(({ lookedAt }) => lookedAt))).toBeGreaterThan(
      time.nowMs() + HOUR_MS,
    );
    await finish(right.sweep());
    for (const { lookedAt: checkedAt, compactedThrough, floorAt } of checkpoints(world)) {
      expect(Math.max(checkedAt, compactedThrough, floorAt)).toBeLessThanOrEqual(time.nowMs());
      expect(Math.min(checkedAt, compactedThrough)).toBeGreaterThan(time.nowMs() - HOUR_MS);
    }
  });

  it("[clock.bounds] wrong times let the process neither publish nor begin a bootstrap that others continue", async () => {
    const { open, right, sleep, finish } = await createWorld(1);
    await finish(
      (async () => {
        await right.publish(...OF, eventsOf("first"));
        await right.compact(...OF);
        const year = open(YEAR_MS);
        const refused = { code: "numbering-at-risk" };
        await expect(year.publish(...OF, eventsOf("year"))).rejects.toMatchObject(refused);
        const day = open(20 * HOUR_MS);
        await right.createSubscription(...OF, { name: "boot", start: "bootstrap" });
        const { cursor } = await day.poll(...OF, "boot", { limit: 1 });
        const expired = { code: "bootstrap-expired" };
        const poll = right.poll(...OF, "boot", { limit: 1, after: cursor });
        await expect(poll).rejects.toMatchObject(expired);
        // The pins of this bootstrap have expired, so they do not hold the floor.
        await sleep(6 * HOUR_MS);
        expect((await right.sweep()).floorsMoved).toBeGreaterThan(0);
      })(),
    );
  });
});
