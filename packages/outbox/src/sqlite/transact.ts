import { pause } from "../pause.ts";
import type { SqliteDatabase } from "./database.ts";

const BUSY = /database is locked|busy|within a transaction/i;
const TRIES = 500;
const PAUSE_MS = 20;

/**
 * Runs one transaction without interruption. It waits while another process writes, and while the
 * program has a transaction open on the same connection, so that it does not become part of that
 * one.
 */
export async function transact<T>(database: SqliteDatabase, work: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      // IMMEDIATE takes the write lock before anything is read.
      database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      if (tries >= TRIES || !BUSY.test(String(error))) throw error;
      await pause(PAUSE_MS);
      continue;
    }
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}
