import { systemCode } from "./stack-error.ts";

const KEPT_SECONDS = 24 * 60 * 60;

/**
 * Adds an index to the database file of a running dynoxide, and deletes the stream's records that
 * are older than a day, as AWS does. Dynoxide 1.2.1 looks for the last record of the stream before
 * each write of a row, and keeps all records. Without an index it reads every record, so each write
 * takes longer than the one before it.
 *
 * A write that fails, such as on a full disk, changes nothing. The store then works as before.
 */
export async function indexRecords(file: string, nowMs: number = Date.now()): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec(
      "CREATE INDEX IF NOT EXISTS last_record ON _stream_records " +
        "(table_name, CAST(sequence_number AS INTEGER))",
    );
    // The last record stays: the next one is numbered after it.
    database
      .prepare(
        "DELETE FROM _stream_records WHERE created_at < ? " +
          "AND id <> (SELECT MAX(id) FROM _stream_records)",
      )
      .run(Math.floor(nowMs / 1_000) - KEPT_SECONDS);
  } catch (error) {
    if (systemCode(error) !== "ERR_SQLITE_ERROR") throw error;
  } finally {
    database.close();
  }
}

const BUSY_TIMEOUT_MS = 5_000;
