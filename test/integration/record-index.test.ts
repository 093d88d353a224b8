import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, describe, expect, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { indexRecords } from "../../packages/local/src/record-index.ts";
import { type Store, startStore } from "../../packages/local/src/store.ts";
import { defaultStoreKind } from "../../packages/local/src/store-program.ts";
import { ensureTable } from "../../packages/local/src/table.ts";

/**
 * The query by which dynoxide finds the last record of a table's stream before each write of a row.
 */
const LOOK = "COALESCE(MAX(CAST(sequence_number AS INTEGER)), ";
const RECORDS = "FROM _stream_records WHERE table_name = ?";
const DAY_MS = 86_400_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(
  dataDir: string,
): Promise<{ store: Store; put: (sk: string) => Promise<unknown> }> {
  const store = await startStore({ kind: "dynoxide", dataDir });
  const client = new DynamoDBClient(localAws(store.endpoint));
  closers.push(store.stop, () => client.destroy());
  await ensureTable(client, "ledger");
  const put = (sk: string) =>
    client.send(
      new PutItemCommand({ TableName: "ledger", Item: { pk: { S: "a" }, sk: { S: sk } } }),
    );
  return { store, put };
}

function open(dataDir: string): DatabaseSync {
  const database = new DatabaseSync(join(dataDir, "eventledger.db"), { readOnly: true });
  closers.push(() => database.close());
  return database;
}

const numbersIn = (database: DatabaseSync) =>
  database
    .prepare("SELECT CAST(sequence_number AS INTEGER) n FROM _stream_records ORDER BY n")
    .all()
    .map(({ n }) => n);

describe.skipIf(defaultStoreKind() !== "dynoxide")("the stream's records of dynoxide", () => {
  function makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "eventledger-records-"));
    closers.push(() => rmSync(folder, { recursive: true }));
    return folder;
  }

  it("are found by an index, so a write does not read those before it", async () => {
    const program = createRequire(import.meta.url).resolve(
      `@dynoxide/${process.platform}-${process.arch}/dynoxide`,
    );
    expect(readFileSync(program).includes(LOOK)).toBe(true);
    const dataDir = makeFolder();
    await start(dataDir);
    const plan = open(dataDir).prepare(`EXPLAIN QUERY PLAN SELECT ${LOOK}0) + 1 ${RECORDS}`);
    expect(JSON.stringify(plan.all("ledger"))).toContain("USING COVERING INDEX last_record");
  });

  it("are kept for a day, and the last one until the next one is written", async () => {
    const dataDir = makeFolder();
    const { put } = await start(dataDir);
    for (const sk of ["1", "2", "3"]) await put(sk);
    const file = join(dataDir, "eventledger.db");
    const database = open(dataDir);
    await indexRecords(file, Date.now() + DAY_MS - 60_000);
    expect(numbersIn(database)).toEqual([1, 2, 3]);
    await indexRecords(file, Date.now() + DAY_MS + 60_000);
    expect(numbersIn(database)).toEqual([3]);
    await put("4");
    expect(numbersIn(database)).toEqual([3, 4]);
  });
});
