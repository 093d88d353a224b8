import { parseArgs } from "node:util";
import type pg from "pg";
import { postgresOutbox } from "../../packages/outbox/src/index.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { fakeLedger } from "../../packages/sdk/src/testing/index.ts";
import { count as say } from "../proof/record.ts";
import { postgresBin, startPostgres } from "../sdk/postgres.ts";
import { keepRecord } from "../support/keep-record.ts";
import { count } from "./judge.ts";

/**
 * Runs the same writers against three relays and counts the events that each of them loses and
 * disorders. Two of the relays are often recommended. `node test/outbox/compare.ts` needs
 * PostgreSQL.
 */
const WRITERS = 12;
const KEYS = 6;

type Versions = Map<string, number[]>;

/** Publishes until `isDone` returns true and no event is left. */
type Relay = (pool: pg.Pool, isDone: () => boolean) => Promise<Versions>;

/** Remembers the last position, and reads everything after it. */
const byCursor: Relay = async (pool, isDone) => {
  const seen: Versions = new Map();
  let last = "0";
  for (let isLast = false; ; ) {
    const { rows } = await pool.query(
      "SELECT position, key, version FROM plain WHERE position > $1 ORDER BY position",
      [last],
    );
    for (const { position, key, version } of rows) {
      add(seen, key, version);
      last = position;
    }
    if (isLast) return seen;
    isLast = isDone() && rows.length === 0;
  }
};

/** Reads only the events of transactions that are older than every open one, by their ids. */
const byWatermark: Relay = async (pool, isDone) => {
  const seen: Versions = new Map();
  let [txid, position] = ["0", "0"];
  for (let isLast = false; ; ) {
    const { rows } = await pool.query(
      `SELECT position, txid, key, version FROM plain
       WHERE txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
         AND (txid, position) > ($1, $2) ORDER BY txid, position`,
      [txid, position],
    );
    for (const row of rows) {
      add(seen, row.key, row.version);
      ({ txid, position } = row);
    }
    if (isLast) return seen;
    isLast = isDone() && rows.length === 0;
  }
};

/** Uses the outbox. */
const byVisibility: Relay = async (pool, isDone) => {
  const fake = fakeLedger({ streams: ["orders"] });
  const ledger = new EventLedger(fake.options);
  const { relay } = postgresOutbox({ query: (text, values) => pool.query(text, values) });
  while (!isDone()) await relay(ledger, { untilEmpty: true, pollMs: 1 });
  await relay(ledger, { untilEmpty: true, pollMs: 1 });
  const seen: Versions = new Map();
  for await (const { key, data } of ledger.stream<number>("orders").read()) {
    add(seen, key, data ?? 0);
  }
  return seen;
};

function add(seen: Versions, key: string, version: number): void {
  const own = seen.get(key) ?? [];
  seen.set(key, own);
  own.push(version);
}

async function write(pool: pg.Pool, events: number): Promise<Map<string, number>> {
  const outbox = postgresOutbox({ query: (text, values) => pool.query(text, values) });
  const written = new Map<string, number>();
  const writer = async (own: number): Promise<void> => {
    for (let n = 0; n < events / WRITERS; n++) {
      const key = `k${Math.floor(Math.random() * KEYS)}`;
      const client = await pool.connect();
      await client.query("BEGIN");
      // This simulates a transaction that writes something else first.
      if (own % 2 === 0) await client.query("SELECT pg_current_xact_id()");
      const { rows } = await client.query(
        `INSERT INTO versions VALUES ($1, 1)
         ON CONFLICT (key) DO UPDATE SET version = versions.version + 1 RETURNING version`,
        [key],
      );
      const version: number = rows[0].version;
      await client.query(
        `INSERT INTO plain (txid, key, version)
         VALUES (pg_current_xact_id()::text::bigint, $1, $2)`,
        [key, version],
      );
      await outbox.add(client, { stream: "orders", key, data: version });
      await client.query("COMMIT");
      client.release();
      written.set(key, Math.max(version, written.get(key) ?? 0));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, own) => writer(own)));
  return written;
}

const { values } = parseArgs({ options: { events: { type: "string", default: "1800" } } });
const events = Number(values.events);
const bin = postgresBin();
if (bin === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
const { pool, stop } = await startPostgres(bin, WRITERS + 4);
await postgresOutbox({ query: (text, given) => pool.query(text, given) }).create();
await pool.query(`CREATE TABLE versions (key text PRIMARY KEY, version int NOT NULL);
  CREATE TABLE plain (position bigserial PRIMARY KEY, txid bigint, key text, version int)`);

const ways = { byCursor, byWatermark, byVisibility };
const results: Record<string, { lost: number; twice: number; disordered: number }> = {};
for (const [name, relay] of Object.entries(ways)) {
  await pool.query("TRUNCATE versions, plain, eventledger_outbox, eventledger_outbox_relays");
  let isDone = false;
  const relaying = relay(pool, () => isDone);
  const written = await write(pool, events);
  isDone = true;
  results[name] = count(await relaying, written);
}
await stop();
console.table(results);
const { byCursor: cursor, byWatermark: watermark, byVisibility: outbox } = results;
const bad = (outbox?.lost ?? 1) + (outbox?.twice ?? 1) + (outbox?.disordered ?? 1);
keepRecord(
  "outbox",
  {
    part: "Outbox",
    ran: `${say(events, "event")} of ${WRITERS} writers on ${KEYS} keys, half of them in transactions that took their id before they waited, each way on the same PostgreSQL`,
    found: `${bad === 0 ? "nothing lost, doubled or out of order" : `**${say(bad, "violation")}**`}; a cursor over positions lost ${say(cursor?.lost ?? 0, "event")}, and the order of transaction ids disordered ${say(watermark?.disordered ?? 0, "event")}`,
  },
  { events, writers: WRITERS, keys: KEYS, results },
);
if (bad > 0) process.exitCode = 1;
