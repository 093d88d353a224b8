/**
 * Sends one statement. `pg`: `(text, values) => pool.query(text, values)`. `postgres`: `(text,
 * values) => sql.unsafe(text, values)`. All values are texts, numbers or null.
 */
export type PostgresQuery = (
  text: string,
  values: (string | number | null)[],
) => PromiseLike<readonly object[] | { readonly rows: readonly object[] }>;

/** A transaction: a query function that is bound to it, or an object that has one, as in `pg`. */
export type PostgresTransaction = PostgresQuery | { readonly query: PostgresQuery };

/** Sends a query, and returns the rows of the answer. */
export async function ask<T>(
  to: PostgresTransaction,
  text: string,
  ...values: (string | number | null)[]
): Promise<readonly T[]> {
  const answer = await (typeof to === "function" ? to(text, values) : to.query(text, values));
  return ("rows" in answer ? answer.rows : answer) as readonly T[];
}
