import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ScanCommand, type ScanCommandOutput } from "@aws-sdk/lib-dynamodb";
import { localAws } from "../packages/local/src/local-aws.ts";
import { startStore } from "../packages/local/src/store.ts";
import { ensureTable } from "../packages/local/src/table.ts";
import { createFakeDynamo } from "../test/simulation/dynamodb/fake-dynamodb.ts";
import type { Item } from "../test/simulation/dynamodb/value.ts";
import { meterCapacity } from "../test/support/capacity.ts";
import {
  type Bootstrapped,
  fillStream,
  type Load,
  measureBootstrap,
  type Store,
} from "./bootstrap-load.ts";
import { recordResult } from "./record.ts";

const TABLE = "bench";
/**
 * The promised limit: the bytes read for each byte of state and tail, with pages of the maximum
 * size.
 */
const RATIO_MAX = 1.2;

/** Use `BENCH_KEYS=10000` for a quick run. The promise is about the full number. */
const keys = Number(process.env.BENCH_KEYS ?? 100_000);
const WHOLE_PAGES = { limit: 1_000, commits: true };

const live = await measureOnFake({ keys, eventsPerKey: 10, tail: 1_000, orders: 1 }, [
  { limit: 1_000, commits: false },
  WHOLE_PAGES,
  { limit: 100, commits: false },
  { limit: 100, commits: true },
]);
const largeEvents = await measureOnFake({ keys: 3_000, eventsPerKey: 2, tail: 0, orders: 40 }, [
  WHOLE_PAGES,
]);
const small: Load = { keys: 3_000, eventsPerKey: 10, tail: 500, orders: 1 };
const fake = await measureOnFake(small, [WHOLE_PAGES]);
const dynamoDbLocal = await measureOnDynamoDbLocal(small, [WHOLE_PAGES]);
const counts = ({ bootstraps }: typeof fake) =>
  JSON.stringify(bootstraps.map(({ polls, readBytes }) => [polls, readBytes]));
const countsAlike = counts(fake) === counts(dynamoDbLocal);
const promised = live.bootstraps.filter(({ limit }) => limit === WHOLE_PAGES.limit);
const worst = Math.max(...promised.map(({ ratio }) => ratio));
const met = worst <= RATIO_MAX && countsAlike;
recordResult("bootstrap-cost", {
  met,
  worstRatio: worst,
  ratioMax: RATIO_MAX,
  live,
  largeEvents,
  verification: { countsAlike, fake, dynamoDbLocal },
});
process.exitCode = met ? 0 : 1;

type Way = Pick<Bootstrapped, "limit" | "commits">;

/** Fills a stream and bootstraps it in each of the ways. */
async function measure(store: Store, load: Load, ways: readonly Way[]) {
  const filled = await fillStream(store, load);
  const bootstraps: Bootstrapped[] = [];
  for (const way of ways) bootstraps.push(await measureBootstrap(store, filled, way));
  const { ledger: _, ...sizes } = filled;
  return { load, ...sizes, bootstraps };
}

function measureOnFake(load: Load, ways: readonly Way[]) {
  const nowMs = Date.now();
  const fake = createFakeDynamo({ tableName: TABLE, nowMs: () => nowMs });
  const store: Store = {
    client: fake.client() as Store["client"],
    tableName: TABLE,
    visitItems: async (visit) => {
      fake.items((item) => {
        visit(item);
        return false;
      });
    },
    measureRead: async (work) => {
      const before = fake.tally.get("capacity.read");
      await work();
      return fake.tally.get("capacity.read") - before;
    },
  };
  return measure(store, load, ways);
}

async function measureOnDynamoDbLocal(load: Load, ways: readonly Way[]) {
  const dynamo = await startStore();
  const client = new DynamoDBClient({ ...localAws(dynamo.endpoint), maxAttempts: 1 });
  try {
    await ensureTable(client, TABLE);
    const meter = meterCapacity(client);
    const store: Store = {
      client,
      tableName: TABLE,
      visitItems: (visit) => scan(client, visit),
      measureRead: async (work) => (await meter.measure(work)).read,
    };
    return await measure(store, load, ways);
  } finally {
    client.destroy();
    await dynamo.stop();
  }
}

async function scan(client: DynamoDBClient, visit: (item: Item) => void): Promise<void> {
  for (let from: ScanCommandOutput["LastEvaluatedKey"]; ; ) {
    const command = new ScanCommand({ TableName: TABLE, ExclusiveStartKey: from });
    const page: ScanCommandOutput = await client.send(command);
    for (const item of (page.Items ?? []) as Item[]) visit(item);
    from = page.LastEvaluatedKey;
    if (from === undefined) return;
  }
}
