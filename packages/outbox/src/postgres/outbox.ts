import { type OutboxEvent, toColumns } from "../event.ts";
import { type Publishing, publishing } from "../outbox.ts";
import type { OutboxStatus, ParkedEvent } from "../store.ts";
import { ask, type PostgresQuery, type PostgresTransaction } from "./query.ts";
import { OUTBOX_TABLE, postgresOutboxSchema } from "./schema.ts";
import { postgresStore } from "./store.ts";

export type PostgresOutboxOptions = {
  /** Sends one statement, through a pool or a connection. */
  readonly query: PostgresQuery;
  /** The name of the table. */
  readonly table?: string | undefined;
};

export type PostgresOutbox = Publishing & {
  /** Creates the tables that do not exist. `eventledger-outbox sql` prints the same SQL. */
  create(): Promise<void>;
  /**
   * Adds events in the transaction that changes your own tables. First change or lock the row that
   * the event is about, then add: this decides the order of the key's events.
   */
  add(tx: PostgresTransaction, events: OutboxEvent | readonly OutboxEvent[]): Promise<void>;
  status(): Promise<OutboxStatus>;
  /** The events that the ledger refused. */
  parked(): Promise<readonly ParkedEvent[]>;
  /** Publishes a parked event again, for example after its row was corrected. */
  retry(position: string): Promise<void>;
  /** Discards a parked event. Later events of its key continue. */
  skip(position: string): Promise<void>;
};

/** An outbox in PostgreSQL 13 or later. */
export function postgresOutbox({
  query,
  table = OUTBOX_TABLE,
}: PostgresOutboxOptions): PostgresOutbox {
  const schema = postgresOutboxSchema(table);
  const store = postgresStore(query, table);
  return {
    ...publishing(store),
    async create() {
      for (const statement of schema) await ask(query, statement);
    },
    async add(tx, events) {
      const list = isList(events) ? events : [events];
      const columns = list.map((event) => toColumns(event, new Date()));
      await ask(
        tx,
        `INSERT INTO ${table} (stream, key, type, time, headers, data)
         SELECT event->>'stream', event->>'key', event->>'type', event->>'time',
           event->>'headers', event->>'data'
         FROM json_array_elements($1::text::json) WITH ORDINALITY AS each (event, place)
         ORDER BY place`,
        JSON.stringify(columns),
      );
    },
    async status() {
      const [row] = await ask<Record<"waiting" | "seconds" | "parked", string>>(
        query,
        `SELECT count(*)::text AS waiting, count(refused)::text AS parked,
           coalesce(extract(epoch FROM clock_timestamp() - min(added)), 0)::text AS seconds
         FROM ${table}`,
      );
      const { waiting, parked, seconds } = row ?? { waiting: 0, parked: 0, seconds: 0 };
      return {
        waiting: Number(waiting),
        oldestSeconds: Math.max(0, Number(seconds)),
        parked: Number(parked),
      };
    },
    parked: () =>
      ask<ParkedEvent>(
        query,
        `SELECT position::text AS position, stream, key, type, id, time, headers, data,
           refused AS reason
         FROM ${table} WHERE refused IS NOT NULL ORDER BY ${table}.position`,
      ),
    async retry(position) {
      const text = `UPDATE ${table} SET refused = NULL WHERE position = $1::text::bigint`;
      await ask(query, text, position);
    },
    async skip(position) {
      const text = `DELETE FROM ${table} WHERE position = $1::text::bigint AND refused IS NOT NULL`;
      await ask(query, text, position);
    },
  };
}

const isList = (given: OutboxEvent | readonly OutboxEvent[]): given is readonly OutboxEvent[] =>
  Array.isArray(given);
