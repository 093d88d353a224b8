import { ScanCommand, type ScanCommandOutput } from "@aws-sdk/lib-dynamodb";
import { expect, it } from "vitest";
import { createLedger, defaultTenant, type LedgerDeps } from "../../packages/core/src/index.ts";
import { systemClock } from "../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../packages/core/src/kernel/random.ts";
import { createFakeDynamo } from "../simulation/dynamodb/fake-dynamodb.ts";
import { createTestTable } from "../support/test-table.ts";

const HOUR_MS = 3_600_000;
const WEEK_SECONDS = 7 * 24 * 3_600;
const STREAM = "orders";

const openLedger = (deps: Pick<LedgerDeps, "client" | "tableName">, nowMs = Date.now) =>
  createLedger({
    ...deps,
    clock: { ...systemClock, now: nowMs },
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("lifetimes") }],
  });

type Ledger = ReturnType<typeof openLedger>;

async function createStream(ledger: Ledger): Promise<void> {
  await ledger.createStream(defaultTenant, {
    name: STREAM,
    partitions: 1,
    compaction: "key",
    description: "",
    retentionHours: 1,
    archiveDays: null,
  });
}

async function publish(ledger: Ledger, key: string, data: unknown): Promise<void> {
  const event = { attributes: { key }, data: JSON.stringify(data) as never };
  await ledger.publish(defaultTenant, STREAM, [event]);
  await ledger.compact(defaultTenant, STREAM);
}

it("[compaction.tombstone] the table keeps a tombstone for a week, and an update over it forever", async () => {
  const { client, tableName } = await createTestTable();
  const ledger = openLedger({ client, tableName });
  await createStream(ledger);
  const loadRow = async () => {
    const scan = new ScanCommand({ TableName: tableName, ConsistentRead: true });
    const { Items = [] }: ScanCommandOutput = await client.send(scan);
    return Items.find(({ sk }) => sk === "KEY#k");
  };
  const before = Math.floor(Date.now() / 1_000);
  await publish(ledger, "k", 1);
  expect(await loadRow()).not.toHaveProperty("expiresAt");
  await publish(ledger, "k", null);
  const tombstone = await loadRow();
  expect(tombstone).toMatchObject({ x: true, s: 2 });
  expect(tombstone?.expiresAt).toBeGreaterThanOrEqual(before + WEEK_SECONDS);
  // DynamoDB expects seconds. A value in milliseconds would never expire.
  expect(tombstone?.expiresAt).toBeLessThan(before + WEEK_SECONDS + 600);
  await publish(ledger, "k", 3);
  const update = await loadRow();
  expect(update).toMatchObject({ s: 3 });
  expect(update).not.toHaveProperty("expiresAt");
  expect(update).not.toHaveProperty("x");
  client.destroy();
});

it("a bootstrap is refused after more than 24 hours, and a seek begins a new one", async () => {
  let nowMs = Date.UTC(2026, 0, 1);
  const fake = createFakeDynamo({ tableName: "fake", nowMs: () => nowMs });
  const client = fake.client() as LedgerDeps["client"];
  const ledger = openLedger({ client, tableName: "fake" }, () => nowMs);
  await createStream(ledger);
  for (const key of ["a", "b", "c"]) await publish(ledger, key, 1);
  const config = { name: "slow", start: "bootstrap" } as const;
  await ledger.createSubscription(defaultTenant, STREAM, config);
  const poll = (after?: string) =>
    ledger.poll(defaultTenant, STREAM, "slow", { limit: 1, ...(after ? { after } : {}) });
  const first = await poll();
  await ledger.commit(defaultTenant, STREAM, "slow", first.cursor);
  nowMs += 24 * HOUR_MS;
  expect((await poll()).events).toHaveLength(1);
  nowMs += 1;
  const expired = { code: "bootstrap-expired", facts: { seek: "bootstrap" } };
  await expect(poll()).rejects.toMatchObject(expired);
  await expect(poll(first.cursor)).rejects.toMatchObject(expired);
  await ledger.seek(defaultTenant, STREAM, "slow", { to: "bootstrap" });
  const again = await poll();
  expect(again).toMatchObject({ phase: "bootstrap", consistent: false });
  expect(fake.refusals).toEqual([]);
});
