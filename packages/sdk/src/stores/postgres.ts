import type { Change, Found, Mark } from "../view/store.ts";

/**
 * Sends one statement. `pg`'s `pool.query` has this form; with `postgres` use `(text, values) =>
 * sql.unsafe(text, values)`.
 */
export type PostgresQuery = (
  text: string,
  values: unknown[],
) => PromiseLike<readonly object[] | { readonly rows: readonly object[] }>;

export type PostgresOptions<Row> = {
  readonly query: PostgresQuery;
  /** The name of the copy. One database can hold several. */
  readonly name?: string | undefined;
  readonly encode?: ((row: Row) => string) | undefined;
  readonly decode?: ((text: string) => Row) | undefined;
};

/** The tables. `load` creates those that do not exist. */
export const POSTGRES_SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS eventledger_marks (
     view text PRIMARY KEY, version bigint NOT NULL, mark text NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS eventledger_rows (
     view text NOT NULL, round int NOT NULL, key text COLLATE "C" NOT NULL,
     sequence bigint NOT NULL, value text NOT NULL, PRIMARY KEY (view, round, key)
   )`,
];

/**
 * One statement is one transaction, also through a pool. It updates the mark first. If a faster
 * replica has done so already, the rest of the statement has no effect.
 */
const APPLY = `
  WITH moved AS (
    INSERT INTO eventledger_marks (view, version, mark)
    SELECT $1, $2::bigint, $3
    WHERE $2::bigint = 1 OR EXISTS (SELECT 1 FROM eventledger_marks WHERE view = $1)
    ON CONFLICT (view) DO UPDATE SET version = excluded.version, mark = excluded.mark
    WHERE eventledger_marks.version = excluded.version - 1
    RETURNING 1
  ), put AS (
    INSERT INTO eventledger_rows (view, round, key, sequence, value)
    SELECT $1, $4::int, key, sequence, value
    FROM unnest($5::text[], $6::bigint[], $7::text[]) AS each (key, sequence, value)
    WHERE EXISTS (SELECT 1 FROM moved)
    ON CONFLICT (view, round, key)
    DO UPDATE SET sequence = excluded.sequence, value = excluded.value
  ), removed AS (
    DELETE FROM eventledger_rows
    WHERE view = $1 AND round = $4::int AND key = ANY($8::text[])
      AND EXISTS (SELECT 1 FROM moved)
  ), swept AS (
    DELETE FROM eventledger_rows
    WHERE view = $1 AND $9::boolean AND round < $4::int AND EXISTS (SELECT 1 FROM moved)
  )
  SELECT count(*)::int AS moved FROM moved`;

const PAGE = 500;

/** Keeps a copy in PostgreSQL, through a function that sends one statement. */
export function postgres<Row>(options: PostgresOptions<Row>) {
  const { query, name = "view", encode = JSON.stringify, decode = JSON.parse } = options;
  const ask = async <T>(text: string, ...values: unknown[]): Promise<readonly T[]> => {
    const answer = await query(text, values);
    return ("rows" in answer ? answer.rows : answer) as readonly T[];
  };
  return {
    async load(): Promise<Mark | undefined> {
      for (const statement of POSTGRES_SCHEMA) await ask(statement);
      const [row] = await ask<{ mark: string }>(
        "SELECT mark FROM eventledger_marks WHERE view = $1",
        name,
      );
      return row && JSON.parse(row.mark);
    },
    async apply({ mark, puts, deletes, sweep }: Change<Row>): Promise<boolean> {
      const [answer] = await ask<{ moved: number }>(
        APPLY,
        ...[name, mark.version, JSON.stringify(mark), mark.round],
        puts.map(({ key }) => key),
        puts.map(({ sequence }) => sequence),
        puts.map(({ row }) => encode(row)),
        deletes,
        sweep,
      );
      return answer?.moved === 1;
    },
    async get(key: string, round: number): Promise<Found<Row> | undefined> {
      const [row] = await ask<{ value: string; sequence: string }>(
        "SELECT value, sequence FROM eventledger_rows WHERE view = $1 AND round = $2 AND key = $3",
        ...[name, round, key],
      );
      return row && { row: decode(row.value), sequence: Number(row.sequence) };
    },
    async *entries(round: number): AsyncGenerator<[string, Row]> {
      for (let after: string | null = null; ; ) {
        const page: readonly { key: string; value: string }[] = await ask(
          `SELECT key, value FROM eventledger_rows
           WHERE view = $1 AND round = $2 AND ($3::text IS NULL OR key > $3::text)
           ORDER BY key LIMIT ${PAGE}`,
          ...[name, round, after],
        );
        for (const { key, value } of page) yield [key, decode(value)];
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.key;
      }
    },
  };
}
