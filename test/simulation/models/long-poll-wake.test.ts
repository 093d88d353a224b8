import { expect, it } from "vitest";
import { createLedger, defaultTenant, type RawJson } from "../../../packages/core/src/index.ts";
import { SEED } from "../../support/seed.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../dynamodb/virtual-clock.ts";

const OF = [defaultTenant, "orders"] as const;
const ROUNDS = 200;
const CURSOR_KEYS = [{ id: 1, secret: Buffer.from("model") }];

/**
 * Returns how long after the answer to a publish a waiting poll is answered, in virtual
 * milliseconds. The load of the machine does not change it. A read of the table takes one to nine.
 */
async function wakeDelays(where: "same" | "other"): Promise<number[]> {
  const random = seededRandom(`wake ${SEED}`);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({
    tableName: "wake",
    seed: SEED,
    time,
    timeoutMs: 1_000,
    commitMs: 4,
    scanMs: 4,
    latencyMs: (chance) => 1 + chance.fraction() * 8,
  });
  const open = (name: string) => {
    const process = time.process(name);
    return createLedger({
      client: store.client(process) as never,
      tableName: "wake",
      clock: process.clock,
      random: random.fork(name),
      cursorKeys: CURSOR_KEYS,
    });
  };
  const reader = open("reader");
  const publisher = where === "same" ? reader : open("publisher");
  const driver = time.process("driver");
  const play = async (): Promise<number[]> => {
    await reader.createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: 4,
      compaction: "none",
      retentionHours: 360,
      archiveDays: null,
    });
    await reader.createSubscription(...OF, { name: "s", start: "earliest" });
    const delays: number[] = [];
    let after: string | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const polling = reader
        .poll(...OF, "s", { limit: 10, waitSeconds: 20, after })
        .then(({ events, cursor }) => ({ events, cursor, atMs: time.nowMs() }));
      await driver.clock.sleep(random.between(50, 15_000));
      const key = `k${random.between(0, 99)}`;
      await publisher.publish(...OF, [{ attributes: { key }, data: `${round}` as RawJson }]);
      const publishedMs = time.nowMs();
      const { events, cursor, atMs } = await polling;
      expect(events.map(({ data }) => data)).toEqual([`${round}`]);
      after = cursor;
      delays.push(atMs - publishedMs);
    }
    return delays.sort((a, b) => a - b);
  };
  return time.finish(play());
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * sorted.length) - 1] ?? Infinity;

it("[poll.wait] 95 of 100 polls wake within 100 ms of a publish in the same process", async () => {
  const delays = await wakeDelays("same");
  const [p50, p95, max] = [0.5, 0.95, 1].map((share) => percentile(delays, share));
  console.log(`long poll wakes: SEED=${SEED}`, { p50, p95, max });
  expect(p95).toBeLessThan(100);
});

it("[poll.wait] a waiting poll receives the events of another process within two seconds", async () => {
  const delays = await wakeDelays("other");
  const [p50, p95, max] = [0.5, 0.95, 1].map((share) => percentile(delays, share));
  console.log(`long poll checks: SEED=${SEED}`, { p50, p95, max });
  expect(max).toBeLessThan(2_000);
});

it("[poll.wait] a waiting poll does not check after every publish that does not concern it", async () => {
  const random = seededRandom(SEED);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({ tableName: "wake", seed: SEED, time });
  const process = time.process("server");
  const client = store.client(process);
  let looks = 0;
  const counted: typeof client.send = (command, ...rest) => {
    if (command.constructor.name === "QueryCommand") looks++;
    return client.send(command, ...rest);
  };
  const ledger = createLedger({
    client: { send: counted } as never,
    tableName: "wake",
    clock: process.clock,
    random: random.fork("server"),
    cursorKeys: CURSOR_KEYS,
  });
  const driver = time.process("driver");
  const story = async () => {
    await ledger.createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: 1,
      compaction: "none",
      retentionHours: 360,
      archiveDays: null,
    });
    const filter = { keyPrefix: "never" };
    await ledger.createSubscription(...OF, { name: "s", start: "earliest", filter });
    const polling = ledger.poll(...OF, "s", { limit: 10, waitSeconds: 2 });
    for (let n = 0; n < 400; n++) {
      await ledger.publish(...OF, [{ attributes: { key: "k" }, data: `${n}` as RawJson }]);
      await driver.clock.sleep(5);
    }
    expect((await polling).events).toEqual([]);
  };
  await time.finish(story());
  console.log(`${looks} queries beside 400 publishes in two seconds`);
  // A look reads twice: the events and the committed offset. Publishing reads the ends.
  expect(looks).toBeLessThan(150);
});
