import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../io.ts";

/** Opens a database in a file that SQLite deletes by itself, so that memory is bounded. */
export const openTemporaryDatabase = (): Promise<DatabaseSync> => openDatabase("");

/** Opens a file as SQLite. Other programs can read it while it is written. */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  // Only these commands need it, and older versions of Node warn about it.
  const { DatabaseSync } = await import("node:sqlite");
  try {
    const database = new DatabaseSync(file);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000;");
    return database;
  } catch (error) {
    throw new Failure(`Cannot use ${file} as a database: ${(error as Error).message}.`);
  }
}

/**
 * Adds a view with the name of the stream to the copy, so that a user need not know how the copy is
 * stored: `SELECT value ->> '$.total' FROM orders`. Returns its number of rows.
 */
export function nameTable(database: DatabaseSync, stream: string): number {
  const name = `"${stream.replaceAll('"', '""')}"`;
  const copy = `'${stream.replaceAll("'", "''")}'`;
  try {
    database.exec(`DROP VIEW IF EXISTS ${name}; CREATE VIEW ${name} AS
      SELECT r.key, r.sequence, r.value FROM eventledger_rows AS r
      JOIN eventledger_marks AS m ON m.view = r.view
      WHERE r.view = ${copy} AND r.round = json_extract(m.mark, '$.shown')`);
  } catch (error) {
    const reason = (error as Error).message;
    throw new Failure(`The database has something else with the name ${stream}: ${reason}.`);
  }
  const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${name}`).get() as {
    rows: number;
  };
  return rows;
}
