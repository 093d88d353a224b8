import { expect, it } from "vitest";
import { createLedger, defaultTenant, type RawJson } from "../../../packages/core/src/index.ts";
import { LIMITS } from "../../../packages/protocol/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../dynamodb/virtual-clock.ts";

const KEYS = 37;

function openWorld() {
  const random = seededRandom(1);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({ tableName: "keys", seed: 1, time });
  const process = time.process("server");
  const client = store.client(process);
  let batchesRead = 0;
  const counted: typeof client.send = async (command, ...rest) => {
    const answer = (await client.send(command, ...rest)) as { Items?: { sk?: unknown }[] };
    batchesRead += answer.Items?.filter(({ sk }) => String(sk).startsWith("SEQ#")).length ?? 0;
    return answer as never;
  };
  const ledger = createLedger({
    client: { send: counted } as never,
    tableName: "keys",
    clock: process.clock,
    random,
    cursorKeys: [{ id: 1, secret: Buffer.from("model") }],
  });
  return { ledger, time, readSoFar: () => batchesRead };
}

async function createStream(
  { ledger }: ReturnType<typeof openWorld>,
  compaction: "key" | "none",
  start: "earliest" | "bootstrap",
) {
  const settings = { description: "", retentionHours: 360, archiveDays: null };
  const stream = { name: "orders", partitions: 2, compaction, ...settings };
  await ledger.createStream(defaultTenant, stream);
  await ledger.createSubscription(defaultTenant, "orders", { name: "s", start });
  const publish = (count: number) =>
    ledger.publish(
      defaultTenant,
      "orders",
      Array.from({ length: count }, (_, n) => ({
        attributes: { key: `k${n % KEYS}` },
        data: "1" as RawJson,
      })),
    );
  const keysBehind = async () =>
    (await ledger.getSubscription(defaultTenant, "orders", "s")).keysBehind;
  return { publish, keysBehind };
}

it("[sub.lag] the view counts the keys after a position up to a number of events, and reads no more", async () => {
  const world = openWorld();
  const story = async () => {
    const { publish, keysBehind } = await createStream(world, "key", "earliest");
    expect(await keysBehind()).toBe(0);
    await publish(5);
    expect(await keysBehind()).toBe(5);
    for (let n = 5; n < LIMITS.keysBehindEventsMax; n += 999) {
      await publish(Math.min(999, LIMITS.keysBehindEventsMax - n));
    }
    expect(await keysBehind()).toBe(KEYS);
    await publish(1);
    const before = world.readSoFar();
    expect(await keysBehind()).toBeNull();
    // The request reads only the lag: the next batch and the last batch of each partition.
    expect(world.readSoFar() - before).toBeLessThanOrEqual(2 * 3);
  };
  await world.time.finish(story());
});

it.each([
  ["none", "earliest"],
  ["key", "bootstrap"],
] as const)(
  "[sub.lag] the view counts no keys with compaction %s from %s on",
  async (compaction, start) => {
    const world = openWorld();
    const story = async () => {
      const { publish, keysBehind } = await createStream(world, compaction, start);
      await publish(5);
      expect(await keysBehind()).toBeNull();
    };
    await world.time.finish(story());
  },
);
