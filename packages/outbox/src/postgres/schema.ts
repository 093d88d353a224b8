import { tableName } from "../table-name.ts";

export const OUTBOX_TABLE = "eventledger_outbox";
export const INBOX_TABLE = "eventledger_inbox";

/** The tables of an outbox. Programs in any language may insert stream, key and data. */
export const postgresOutboxSchema = (table: string = OUTBOX_TABLE): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${tableName(table)} (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text NOT NULL,
  key text NOT NULL,
  type text,
  id text NOT NULL DEFAULT gen_random_uuid()::text,
  time text,
  headers text,
  data text NOT NULL,
  added timestamptz NOT NULL DEFAULT clock_timestamp(),
  refused text
)`,
  `CREATE INDEX IF NOT EXISTS ${indexOf(table)}_by_stream ON ${table} (stream, position)`,
  `CREATE INDEX IF NOT EXISTS ${indexOf(table)}_by_refusal ON ${table} (stream, key) WHERE refused IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${table}_relays (
  stream text PRIMARY KEY,
  owner text,
  until timestamptz NOT NULL,
  batch text,
  positions text,
  named timestamptz
)`,
];

/** The table of a consumer's memory. */
export const postgresGuardSchema = (table: string = INBOX_TABLE): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${tableName(table)} (
  consumer text NOT NULL,
  life text NOT NULL,
  key text NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (consumer, life, key)
)`,
];

/**
 * Returns the name of an index without a schema, because an index is always in the schema of its
 * table.
 */
const indexOf = (table: string): string => table.replace(/^.*\./, "");
