import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultTenant } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { meterCapacity } from "../support/capacity.ts";
import { createMovedClock } from "../support/moved-clock.ts";
import { createTestTable } from "../support/test-table.ts";

const SECOND_MS = 1_000;
const LEASE_SECONDS = 30;

let place: Awaited<ReturnType<typeof createTestTable>>;
const closers: (() => void)[] = [];

beforeAll(async () => {
  place = await createTestTable();
  return () => place.client.destroy();
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A subscription of a stream of one partition, and a server whose time the test moves. */
async function open() {
  const { clock, pass } = createMovedClock();
  const { endpoint, tableName } = place;
  const keys = { adminKey: "admin", cursorKey: "cursor" };
  const { client, ledger, close } = openLedger({
    ...{ endpoint, tableName, ...keys },
    region: LOCAL_REGION,
    clock,
  });
  closers.push(close);
  const [name, of] = [`s-${randomUUID()}`, { description: "", retentionHours: 24 }];
  await ledger.createStream(defaultTenant, {
    ...{ name, partitions: 1, compaction: "key", archiveDays: null, ...of },
  });
  const config = { name: "s", start: "latest", leaseSeconds: LEASE_SECONDS } as const;
  await ledger.createSubscription(defaultTenant, name, config);
  const meter = meterCapacity(client);
  const members = async () => (await ledger.getSubscription(defaultTenant, name, "s")).members;
  return {
    members,
    pass,
    poll: (consumer: string) =>
      meter.measure(() => ledger.poll(defaultTenant, name, "s", { limit: 100, consumer })),
    leave: (consumer: string) => ledger.leave(defaultTenant, name, "s", consumer),
  };
}

describe("rows of workers that are gone", () => {
  it("300 names in turn leave a poll as cheap as one", async () => {
    const { poll, pass } = await open();
    const first = await poll("first");
    const alone = await poll("first");
    let most = 0;
    for (let n = 0; n < 300; n++) {
      pass((LEASE_SECONDS + 1) * SECOND_MS);
      const { read } = await poll(`worker-${randomUUID()}`);
      most = Math.max(most, read);
    }
    await poll("last");
    const after = await poll("last");
    console.log(
      `capacity: a poll of a worker: ${alone.read} read units alone, ${after.read} after`,
    );
    expect(after.read).toBeLessThanOrEqual(alone.read + 1);
    // The first poll of a name takes the lease, and reads the workers twice.
    expect(most).toBeLessThanOrEqual(first.read + 4);
  }, 120_000);

  it("250 that end together are deleted by the next polls, and none that lives", async () => {
    const { poll, pass, members } = await open();
    for (let n = 0; n < 250; n++) await poll(`worker-${randomUUID()}`);
    pass((LEASE_SECONDS + 1) * SECOND_MS);
    const before = await poll("survivor");
    let deleted = 0;
    let last = before;
    for (let n = 0; n < 20; n++) {
      pass(15 * SECOND_MS);
      await poll("idle");
      last = await poll("survivor");
      deleted += last.requests.DeleteItem ?? 0;
    }
    expect(last.read).toBeLessThan(before.read / 3);
    expect((await members()).map(({ consumer }) => consumer)).toEqual(["idle", "survivor"]);
    expect(deleted).toBeGreaterThan(50);
  }, 120_000);

  it("[lease.leave] a worker whose departure is deleted can come back", async () => {
    const { poll, pass, leave, members } = await open();
    await poll("back");
    await leave("back");
    for (let n = 0; n < 40; n++) await poll(`worker-${n}`);
    for (let n = 0; n < 6; n++) {
      pass(60 * SECOND_MS);
      await poll("other");
    }
    await poll("back");
    expect((await members()).map(({ consumer }) => consumer)).toContain("back");
  }, 60_000);
});
