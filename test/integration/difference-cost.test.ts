import { expect, it } from "vitest";
import { createLedger, defaultTenant } from "../../packages/core/src/index.ts";
import { systemClock } from "../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../packages/core/src/kernel/random.ts";
import { createFakeDynamo } from "../simulation/dynamodb/fake-dynamodb.ts";
import { itemBytes } from "../simulation/dynamodb/item-size.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { createVirtualTime } from "../simulation/dynamodb/virtual-clock.ts";
import { countBytes } from "../support/count-bytes.ts";

/** These tests count what a difference reads, and what the list of changes costs. */

const OF = [defaultTenant, "orders"] as const;
const PUBLISHED_AT_ONCE = 500;

function openLedger() {
  const time = createVirtualTime(seededRandom(1));
  const store = createFakeDynamo({ tableName: "t", seed: 1, time });
  const counted = countBytes(store.client(time.process("p")).send as never);
  const ledger = createLedger({
    client: counted.client as never,
    tableName: "t",
    clock: systemClock,
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("cost") }],
  });
  return { ledger, counted, store, time };
}

type Opened = ReturnType<typeof openLedger>;

/** Publishes events with about a kilobyte of data that does not compress. */
async function publish({ ledger }: Opened, keys: readonly string[]): Promise<string> {
  let cursor = "";
  for (let at = 0; at < keys.length; at += PUBLISHED_AT_ONCE) {
    const events = keys.slice(at, at + PUBLISHED_AT_ONCE).map((key) => {
      const text = Buffer.from(systemRandom.bytes(750)).toString("base64");
      return { attributes: { key }, data: JSON.stringify(text) as never };
    });
    ({ cursor } = await ledger.publish(...OF, events));
  }
  return cursor;
}

async function compact({ ledger }: Opened): Promise<void> {
  while (!(await ledger.compact(...OF)).done);
}

async function readDifference({ ledger }: Opened, since: string) {
  const keys: string[] = [];
  let page = await ledger.listCompacted(...OF, { limit: 100, since });
  for (;;) {
    keys.push(...page.items.map(({ key }) => key));
    if (page.cursor === null) return keys;
    page = await ledger.listCompacted(...OF, { limit: 100, cursor: page.cursor });
  }
}

it("[difference.cost] a difference reads the changed states, and little else", async () => {
  const opened = openLedger();
  const { ledger, counted, store, time } = opened;
  const story = async () => {
    await ledger.createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: 1,
      compaction: "key",
      retentionHours: 360,
      archiveDays: null,
    });
    const keys = Array.from({ length: 1_000 }, (_, n) => `order-${n}`);
    const since = await publish(opened, keys);
    await compact(opened);
    const changed = keys.slice(0, 100);
    // 6,000 versions of 100 keys.
    for (let round = 0; round < 60; round++) {
      await publish(opened, changed);
      await compact(opened);
    }
    // The first difference lists what is not listed so far.
    await ledger.listCompacted(...OF, { limit: 1, since });
    const states = store.items(({ sk, s }) => String(sk).startsWith("KEY#") && Number(s) > 1_000);
    const { bytes } = states.reduce<{ bytes: number }>(
      (sum, item) => ({ bytes: sum.bytes + itemBytes(item) }),
      { bytes: 0 },
    );
    expect(states).toHaveLength(100);
    counted.reset();
    expect((await readDifference(opened, since)).sort()).toEqual(changed.toSorted());
    console.info(`difference: ${counted.total.bytes} bytes in ${counted.total.requests} requests`);
    expect(counted.total.bytes).toBeLessThanOrEqual(1.2 * bytes);
  };
  await time.finish(story());
});
