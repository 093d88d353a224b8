import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type pg from "pg";
import {
  type PostgresQuery,
  type Publishing,
  postgresOutbox,
  type SqliteDatabase,
  sqliteOutbox,
} from "../../packages/outbox/src/index.ts";

/** An outbox next to a table of versions, in one of the databases. */
export type World = {
  /**
   * Opens a separate connection for a relay. `step` runs before and after each of its statements.
   */
  open(step?: Step): Publishing & { close(): void };
  /**
   * Increments the version of a key and adds the event, in one transaction. With `isEarly`, the
   * transaction gets its id first, before it waits for the row.
   */
  write(key: string, isEarly?: boolean, stream?: string): Promise<void>;
  /** Begins such a transaction. Its event is invisible until the returned function commits it. */
  hold(key: string): Promise<() => Promise<void>>;
  /** Makes a batch that was begun this much older. */
  age(hours: number): Promise<void>;
  parked(): Promise<readonly { readonly position: string; readonly key: string }[]>;
  retry(position: string): Promise<void>;
  skip(position: string): Promise<void>;
  waiting(): Promise<number>;
  /** Empties the tables. */
  clear(): Promise<void>;
};

/** Throws to end the process that makes the step. */
export type Step = (at: "before" | "after") => void;

export const STREAM = "orders";
const event = (stream: string, key: string, version: number) => ({
  stream,
  key,
  data: { version },
});

export async function inPostgres(pool: pg.Pool): Promise<World> {
  const outbox = postgresOutbox({ query: (text, values) => pool.query(text, values) });
  await outbox.create();
  await pool.query("CREATE TABLE orders (key text PRIMARY KEY, version int NOT NULL)");
  const begin = async (
    key: string,
    isEarly = false,
    stream = STREAM,
  ): Promise<() => Promise<void>> => {
    const client = await pool.connect();
    await client.query("BEGIN");
    if (isEarly) await client.query("SELECT pg_current_xact_id()");
    const { rows } = await client.query(
      `INSERT INTO orders VALUES ($1, 1)
       ON CONFLICT (key) DO UPDATE SET version = orders.version + 1 RETURNING version`,
      [key],
    );
    await outbox.add(client, event(stream, key, rows[0].version));
    return async () => {
      await client.query("COMMIT");
      client.release();
    };
  };
  return {
    open(step = () => {}) {
      const query: PostgresQuery = async (text, values) => {
        step("before");
        const answer = await pool.query(text, values);
        step("after");
        return answer;
      };
      return { ...postgresOutbox({ query }), close() {} };
    },
    write: async (key, isEarly, stream) => (await begin(key, isEarly, stream))(),
    hold: (key) => begin(key),
    async age(hours) {
      await pool.query(
        `UPDATE eventledger_outbox_relays SET named = named - ${hours} * interval '1 hour'`,
      );
    },
    parked: outbox.parked,
    retry: outbox.retry,
    skip: outbox.skip,
    waiting: async () => (await outbox.status()).waiting,
    async clear() {
      await pool.query("TRUNCATE orders, eventledger_outbox, eventledger_outbox_relays");
    },
  };
}

export function inSqlite(): World & { end(): void } {
  const folder = mkdtempSync(join(tmpdir(), "eventledger-outbox-"));
  const path = join(folder, "orders.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000");
  database.exec("CREATE TABLE orders (key TEXT PRIMARY KEY, version INTEGER NOT NULL)");
  const outbox = sqliteOutbox({ database });
  outbox.create();
  const begin = (key: string, stream = STREAM): (() => void) => {
    database.exec("BEGIN IMMEDIATE");
    const row = database
      .prepare(
        `INSERT INTO orders VALUES (?, 1)
         ON CONFLICT (key) DO UPDATE SET version = version + 1 RETURNING version`,
      )
      .get(key);
    outbox.add(database, event(stream, key, Number(row?.version)));
    return () => database.exec("COMMIT");
  };
  return {
    open(step = () => {}) {
      const own = new DatabaseSync(path);
      const wrap =
        <Given extends unknown[], Answer>(run: (...given: Given) => Answer) =>
        (...given: Given): Answer => {
          step("before");
          const answer = run(...given);
          step("after");
          return answer;
        };
      const watched: SqliteDatabase = {
        exec: wrap((sql) => own.exec(sql)),
        prepare(sql) {
          const statement = own.prepare(sql);
          return {
            run: wrap((...values) => statement.run(...values)),
            get: wrap((...values) => statement.get(...values)),
            all: wrap((...values) => statement.all(...values)),
          };
        },
      };
      return { ...sqliteOutbox({ database: watched }), close: () => own.close() };
    },
    async write(key, _, stream) {
      const commit = begin(key, stream);
      // Other writers and the relay run during this pause. They must not become a part of this
      // transaction.
      if (Math.random() < 0.1) await new Promise((resolve) => setTimeout(resolve, 1));
      commit();
    },
    hold: async (key) => {
      const commit = begin(key);
      return async () => commit();
    },
    async age(hours) {
      database.exec(`UPDATE eventledger_outbox_relays SET named = named - ${hours} / 24.0`);
    },
    parked: async () => outbox.parked(),
    retry: outbox.retry,
    skip: outbox.skip,
    waiting: async () => outbox.status().waiting,
    async clear() {
      database.exec(
        "DELETE FROM orders; DELETE FROM eventledger_outbox; DELETE FROM eventledger_outbox_relays",
      );
    },
    end() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
