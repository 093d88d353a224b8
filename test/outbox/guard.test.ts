import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import {
  postgresGuard,
  postgresGuardSchema,
  sqliteGuard,
  sqliteGuardSchema,
} from "../../packages/outbox/src/index.ts";
import { postgresBin, startPostgres } from "../sdk/postgres.ts";

type Once = (key: string, sequence: number, life?: string) => Promise<boolean>;

async function checkOnce(once: Once): Promise<void> {
  expect(await once("a", 5)).toBe(true);
  expect(await once("a", 5)).toBe(false);
  expect(await once("a", 4)).toBe(false);
  expect(await once("a", 9)).toBe(true);
  expect(await once("b", 5)).toBe(true);
  // Sequences restart in another life. An event of the former life does not change that.
  expect(await once("a", 1, "second")).toBe(true);
  expect(await once("a", 10)).toBe(true);
  expect(await once("a", 1, "second")).toBe(false);
}

it("a guard in SQLite lets a transaction process each event once", async () => {
  const database = new DatabaseSync(":memory:");
  for (const statement of sqliteGuardSchema()) database.exec(statement);
  const guard = sqliteGuard({ consumer: "shipping" });
  const once: Once = async (key, sequence, life = "first") =>
    guard.once(database, { key, sequence }, { life });
  await checkOnce(once);
  database.exec("BEGIN");
  expect(await once("c", 1)).toBe(true);
  database.exec("ROLLBACK");
  expect(await once("c", 1)).toBe(true);
  const other = sqliteGuard({ consumer: "billing" });
  expect(other.once(database, { key: "c", sequence: 1 }, { life: "first" })).toBe(true);
  guard.forget(database);
  expect(await once("c", 1)).toBe(true);
  expect(other.once(database, { key: "c", sequence: 1 }, { life: "first" })).toBe(false);
});

const bin = postgresBin();
if (bin === undefined) {
  console.log("PostgreSQL is not installed (apt-get install postgresql): only SQLite is tested.");
} else {
  const { pool, stop } = await startPostgres(bin);
  afterAll(stop);
  it("a guard in PostgreSQL lets one of two transactions process an event", async () => {
    for (const statement of postgresGuardSchema()) await pool.query(statement);
    const guard = postgresGuard({ consumer: "shipping" });
    await checkOnce((key, sequence, life = "first") =>
      guard.once(pool, { key, sequence }, { life }),
    );
    const [first, second] = [await pool.connect(), await pool.connect()];
    await Promise.all([first.query("BEGIN"), second.query("BEGIN")]);
    const event = { key: "c", sequence: 1 };
    expect(await guard.once(first, event, { life: "first" })).toBe(true);
    const waiting = guard.once(second, event, { life: "first" });
    await first.query("COMMIT");
    expect(await waiting).toBe(false);
    await second.query("COMMIT");
    first.release();
    second.release();
  });
}
