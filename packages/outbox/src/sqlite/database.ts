export type SqliteValue = string | number | null;

/** The part of `node:sqlite`'s DatabaseSync that an outbox uses. `bun:sqlite` has it as well. */
export type SqliteDatabase = {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(...values: SqliteValue[]): unknown;
    get(...values: SqliteValue[]): unknown;
    all(...values: SqliteValue[]): unknown[];
  };
};
