import { INBOX_TABLE, OUTBOX_TABLE } from "../postgres/schema.ts";
import { tableName } from "../table-name.ts";

/** The tables of an outbox. Programs in any language may insert stream, key and data. */
export const sqliteOutboxSchema = (table: string = OUTBOX_TABLE): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${tableName(table)} (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL,
  key TEXT NOT NULL,
  type TEXT,
  id TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  time TEXT,
  headers TEXT,
  data TEXT NOT NULL,
  added REAL NOT NULL DEFAULT (julianday('now')),
  refused TEXT
) STRICT`,
  `CREATE INDEX IF NOT EXISTS ${table}_by_stream ON ${table} (stream, position)`,
  `CREATE INDEX IF NOT EXISTS ${table}_by_refusal ON ${table} (stream, key) WHERE refused IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${table}_relays (
  stream TEXT NOT NULL PRIMARY KEY,
  owner TEXT,
  until REAL NOT NULL,
  batch TEXT,
  positions TEXT,
  named REAL
) STRICT`,
];

/** The table of a consumer's memory. */
export const sqliteGuardSchema = (table: string = INBOX_TABLE): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${tableName(table)} (
  consumer TEXT NOT NULL,
  life TEXT NOT NULL,
  key TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (consumer, life, key)
) STRICT, WITHOUT ROWID`,
];
