import type { Change, Found, Mark } from "../view/store.ts";

type Value = string | number;

/** The part of `node:sqlite`'s DatabaseSync that the store uses. `bun:sqlite` has it as well. */
export type SqliteDatabase = {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(...values: Value[]): unknown;
    get(...values: Value[]): unknown;
    all(...values: Value[]): unknown[];
  };
};

export type SqliteOptions<Row> = {
  /** The name of the copy. One database can hold several. */
  readonly name?: string | undefined;
  readonly encode?: ((row: Row) => string) | undefined;
  readonly decode?: ((text: string) => Row) | undefined;
};

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS eventledger_marks (
    view TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, mark TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS eventledger_rows (
    view TEXT NOT NULL, round INTEGER NOT NULL, key TEXT NOT NULL,
    sequence INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (view, round, key)
  ) STRICT, WITHOUT ROWID;`;

/** Keeps a copy in SQLite. Rows are stored as JSON unless `encode` and `decode` are given. */
export function sqlite<Row>(database: SqliteDatabase, options: SqliteOptions<Row> = {}) {
  const { name = "view", encode = JSON.stringify, decode = JSON.parse } = options;
  database.exec(SCHEMA);
  const sql = {
    mark: database.prepare("SELECT version, mark FROM eventledger_marks WHERE view = ?"),
    move: database.prepare("INSERT OR REPLACE INTO eventledger_marks VALUES (?, ?, ?)"),
    put: database.prepare("INSERT OR REPLACE INTO eventledger_rows VALUES (?, ?, ?, ?, ?)"),
    remove: database.prepare(
      "DELETE FROM eventledger_rows WHERE view = ? AND round = ? AND key = ?",
    ),
    sweep: database.prepare("DELETE FROM eventledger_rows WHERE view = ? AND round < ?"),
    get: database.prepare(
      "SELECT value, sequence FROM eventledger_rows WHERE view = ? AND round = ? AND key = ?",
    ),
    next: database.prepare(
      `SELECT key, value FROM eventledger_rows
       WHERE view = ? AND round = ? AND key > ? ORDER BY key LIMIT ${PAGE}`,
    ),
    first: database.prepare(
      `SELECT key, value FROM eventledger_rows WHERE view = ? AND round = ? ORDER BY key LIMIT ${PAGE}`,
    ),
  };
  const kept = () => sql.mark.get(name) as { version: number; mark: string } | undefined;

  return {
    load(): Mark | undefined {
      const row = kept();
      return row === undefined ? undefined : JSON.parse(row.mark);
    },
    apply({ mark, puts, deletes, sweep }: Change<Row>): boolean {
      // IMMEDIATE takes the write lock before the version is read.
      database.exec("BEGIN IMMEDIATE");
      try {
        const isNext = (kept()?.version ?? 0) === mark.version - 1;
        if (isNext) {
          sql.move.run(name, mark.version, JSON.stringify(mark));
          for (const { key, row, sequence } of puts) {
            sql.put.run(name, mark.round, key, sequence, encode(row));
          }
          for (const key of deletes) sql.remove.run(name, mark.round, key);
          if (sweep) sql.sweep.run(name, mark.round);
        }
        database.exec("COMMIT");
        return isNext;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    get(key: string, round: number): Found<Row> | undefined {
      const row = sql.get.get(name, round, key) as { value: string; sequence: number } | undefined;
      return row && { row: decode(row.value), sequence: row.sequence };
    },
    /** Reads page by page, so that the view can continue while its rows are read. */
    *entries(round: number): Generator<[string, Row]> {
      type Listed = { key: string; value: string };
      let page = sql.first.all(name, round) as Listed[];
      while (page.length > 0) {
        for (const { key, value } of page) yield [key, decode(value)];
        page = sql.next.all(name, round, page.at(-1)?.key ?? "") as Listed[];
      }
    },
  };
}

const PAGE = 500;
