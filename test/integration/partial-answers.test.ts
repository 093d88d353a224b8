import { CreateStream, CreateSubscription } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import {
  createLedger,
  defaultTenant,
  type Ledger,
  type LedgerDeps,
  rootCaller,
  systemClock,
  systemRandom,
} from "../../packages/core/src/index.ts";
import { createFakeDynamo } from "../simulation/dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { answerInPart } from "../support/partial-client.ts";
import { SEED } from "../support/seed.ts";
import { createTestTable } from "../support/test-table.ts";

const RATE = 0.3;
const HOUR_MS = 3_600_000;
const STREAMS = 30;
const KEYS = 12;
const SUBSCRIPTIONS = 9;
const EVENTS = 60;

const names = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${what}-${String(n).padStart(2, "0")}`);

let aheadMs = 0;
const openLedger = (deps: Pick<LedgerDeps, "client" | "tableName">): Ledger =>
  createLedger({
    ...deps,
    random: systemRandom,
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    cursorKeys: [{ id: 1, secret: Buffer.from("answers in part") }],
  });

type Disturbed = { readonly ledger: Ledger; readonly counts: () => Record<string, number> };

const STORES: Record<string, () => Promise<Disturbed>> = {
  "the fake DynamoDB": async () => {
    const fake = createFakeDynamo({
      tableName: "fake",
      seed: SEED,
      nowMs: Date.now,
      faults: () => ({ unprocessed: RATE, "short-page": RATE }),
    });
    const client = fake.client() as LedgerDeps["client"];
    return { ledger: openLedger({ client, tableName: "fake" }), counts: () => fake.tally.all() };
  },
  "DynamoDB Local": async () => {
    const { client, tableName } = await createTestTable();
    const happened = answerInPart(client, seededRandom(SEED), RATE);
    const counts = () => ({
      "fault.unprocessed": happened.UnprocessedKeys,
      "fault.short-page": happened.LastEvaluatedKey,
    });
    return { ledger: openLedger({ client, tableName }), counts };
  },
};

/** Returns every page of a list, by its cursors. */
async function listAll<T>(
  list: (cursor: string | undefined) => Promise<{ items: readonly T[]; cursor: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await list(cursor);
    all.push(...page.items);
    ({ cursor } = page);
  }
  return all;
}

describe.each(Object.entries(STORES))("%s answers in part", (_, open) => {
  it(`[list.page] lists, views, sweeps and removals leave nothing out (SEED=${SEED})`, async () => {
    const { ledger, counts } = await open();
    const { access } = ledger;
    aheadMs = 0;
    const streams = names("stream", STREAMS);
    for (const name of streams) {
      await ledger.createStream(defaultTenant, CreateStream.parse({ name }));
    }
    for (const name of names("key", KEYS)) {
      const rights = { scopes: ["consume" as const], streams: ["*"] };
      await access.createKey(rootCaller, { name, ...rights });
    }
    const [busy = ""] = streams;
    const subscriptions = names("sub", SUBSCRIPTIONS);
    for (const name of subscriptions) {
      const config = CreateSubscription.parse({ name, start: "earliest" });
      await ledger.createSubscription(defaultTenant, busy, config);
    }
    for (let n = 0; n < EVENTS; n++) {
      const event = { attributes: { key: `k${n}` }, data: `${n}` as never };
      const idempotencyKey = n % 2 === 0 ? `key ${n}` : undefined;
      await ledger.publish(defaultTenant, busy, [event], { idempotencyKey });
    }

    const listed = await listAll(async (cursor) => {
      const page = await ledger.listStreams(defaultTenant, { limit: 7, cursor });
      return { items: page.streams.map(({ name }) => name), cursor: page.cursor };
    });
    expect(listed).toEqual(streams);
    const keys = await listAll(async (cursor) => {
      const page = await access.listKeys(rootCaller, { limit: 5, cursor });
      return { items: page.keys.map(({ name }) => name), cursor: page.cursor };
    });
    expect(keys.sort()).toEqual(names("key", KEYS));
    const subs = await listAll(async (cursor) => {
      const page = await ledger.listSubscriptions(defaultTenant, busy, { limit: 4, cursor });
      return { items: page.subscriptions.map(({ name }) => name), cursor: page.cursor };
    });
    expect(subs).toEqual(subscriptions);

    const swept = await ledger.sweep();
    expect(swept).toMatchObject({ done: true, partitions: STREAMS, compactedEvents: EVENTS });
    const info = await ledger.getStream(defaultTenant, busy);
    expect(info.subscriptions.map(({ name }) => name)).toEqual(subscriptions);
    expect(info.subscriptions.map(({ lag }) => lag.events)).toEqual(
      subscriptions.map(() => EVENTS),
    );

    const page = await ledger.browse(defaultTenant, busy, { from: "earliest", limit: 1_000 });
    expect(page.events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: EVENTS }, (_, n) => n + 1),
    );
    const items = await listAll(async (cursor) => {
      const query = { limit: 500, ...(cursor === undefined ? {} : { cursor }) };
      return ledger.listCompacted(defaultTenant, busy, query);
    });
    expect(items).toHaveLength(EVENTS);

    await ledger.deleteStream(defaultTenant, busy);
    aheadMs = 24 * HOUR_MS;
    // The removed rows are subscriptions, batches, states of keys, and the receipts of every other
    // event.
    const rowsRemoved = SUBSCRIPTIONS + EVENTS + EVENTS + EVENTS / 2;
    expect(await ledger.sweep()).toMatchObject({ done: true, livesRemoved: 1, rowsRemoved });

    expect(counts()["fault.unprocessed"]).toBeGreaterThan(0);
    expect(counts()["fault.short-page"]).toBeGreaterThan(0);
  });
});
