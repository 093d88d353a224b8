import { expect, it } from "vitest";
import {
  createLedger,
  defaultTenant,
  type Ledger,
  LedgerError,
  type RawJson,
} from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../dynamodb/virtual-clock.ts";

/**
 * In these tests, one process changes a filter while a consumer reads through another process that
 * remembers the old one.
 */

const OF = [defaultTenant, "orders"] as const;
const SUB = "s";
const BEFORE = 20;
const AFTER = 10;
/** Far more polls than are needed. */
const POLLS_MAX = 300;

function openServers(seed: number) {
  const random = seededRandom(seed);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({ tableName: "settings", seed, time });
  const [here, there] = ["here", "there"].map((name) => {
    const process = time.process(name);
    return createLedger({
      client: store.client(process) as never,
      tableName: "settings",
      clock: process.clock,
      random: random.fork(name),
      cursorKeys: [{ id: 1, secret: Buffer.from("model") }],
    });
  });
  if (here === undefined || there === undefined) throw new Error("there are two servers");
  return { here, there, time, random, driver: time.process("driver") };
}

const keyOf = (sequence: number) => (sequence % 2 === 0 ? "even" : "odd");

async function publish(ledger: Ledger, sequence: number): Promise<void> {
  const attributes = { key: keyOf(sequence) };
  const receipt = await ledger.publish(...OF, [{ attributes, data: "1" as RawJson }]);
  expect(receipt.events).toMatchObject([{ sequence }]);
}

/** Returns what a consumer has processed and committed by the time it receives the last event. */
async function consume(ledger: Ledger, worker: string | undefined): Promise<number[]> {
  const processed: number[] = [];
  for (let polls = 0; polls < POLLS_MAX && !processed.includes(BEFORE + AFTER); polls++) {
    const page = await ledger.poll(...OF, SUB, { limit: 3, waitSeconds: 5, consumer: worker });
    try {
      const { stale } = await ledger.commit(...OF, SUB, page.cursor);
      if (!stale) processed.push(...page.events.map(({ sequence }) => sequence));
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "invalid-cursor") throw error;
    }
  }
  return processed;
}

it.each(Array.from({ length: 24 }, (_, seed) => [seed, seed % 3 === 0 ? "w" : undefined] as const))(
  "[sub.patch-filter] a new filter takes effect at one place for every process (seed %i)",
  async (seed, worker) => {
    const { here, there, time, random, driver } = openServers(seed);
    const story = async () => {
      await here.createStream(defaultTenant, {
        name: "orders",
        description: "",
        partitions: 1,
        compaction: "none",
        retentionHours: 1,
        archiveDays: null,
      });
      const filter = { keyPrefix: "odd" };
      await here.createSubscription(...OF, { name: SUB, start: "earliest", filter });
      const consuming = consume(there, worker);
      for (let sequence = 1; sequence <= BEFORE; sequence++) {
        await publish(here, sequence);
        if (random.chance(1 / 3)) await driver.clock.sleep(random.between(0, 300));
      }
      await driver.clock.sleep(random.between(0, 200));
      await here.patchSubscription(...OF, SUB, { filter: { keyPrefix: "even" } });
      for (let sequence = BEFORE + 1; sequence <= BEFORE + AFTER; sequence++) {
        await publish(here, sequence);
      }
      const processed = await consuming;
      // The consumer processes the odd events up to one place and the even events after it, and
      // nothing else.
      const from = processed.find((sequence) => keyOf(sequence) === "even") ?? Infinity;
      const last = processed.findLast((sequence) => keyOf(sequence) === "odd") ?? 0;
      const splits = Array.from({ length: BEFORE + 1 }, (_, place) => place).map((place) =>
        Array.from({ length: BEFORE + AFTER }, (_, at) => at + 1).filter((sequence) =>
          sequence <= place ? keyOf(sequence) === "odd" : keyOf(sequence) === "even",
        ),
      );
      expect(splits, `odd until ${last}, even from ${from}`).toContainEqual(processed);
    };
    await time.finish(story());
  },
);
