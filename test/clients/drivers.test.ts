import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type PostgresQuery, postgresOutbox } from "../../packages/outbox/src/index.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { fakeLedger } from "../../packages/sdk/src/testing/index.ts";
import { postgresBin, startPostgres } from "../sdk/postgres.ts";
import { collect } from "../sdk/stack.ts";
import { folderOf, npmPackages, skip } from "./tools.ts";

/** These tests use the outbox through the drivers that its README names, as npm installs them. */
type Driver = {
  readonly query: PostgresQuery;
  /** Runs work in a transaction, which it rolls back if the work fails. */
  transact(work: (tx: PostgresQuery) => Promise<void>): Promise<void>;
  end(): Promise<void>;
};

const packages = await npmPackages("engines");
const from = createRequire(join(folderOf("engines"), "package.json"));

/** The server may end before the pool has closed its last connection. */
const quiet = <T extends { on(name: "error", run: () => void): unknown }>(pool: T): T => {
  pool.on("error", () => {});
  return pool;
};

const drivers: Record<string, (url: string) => Promise<Driver>> = {
  async pg(url) {
    const { Pool } = from("pg");
    const pool = quiet(new Pool({ connectionString: url }));
    return {
      query: (text, values) => pool.query(text, values),
      async transact(work) {
        const client = await pool.connect();
        await client.query("BEGIN");
        try {
          await work((text, values) => client.query(text, values));
          await client.query("COMMIT");
        } catch (error) {
          await client.query("ROLLBACK");
          throw error;
        } finally {
          client.release();
        }
      },
      end: () => pool.end(),
    };
  },
  async postgres(url) {
    const sql = from("postgres")(url, { max: 4, onnotice: () => {} });
    type Sql = { unsafe: PostgresQuery };
    return {
      query: (text, values) => sql.unsafe(text, values),
      transact: (work) => sql.begin((tx: Sql) => work((text, values) => tx.unsafe(text, values))),
      end: () => sql.end(),
    };
  },
  async kysely(url) {
    const { CompiledQuery, Kysely, PostgresDialect } = await import(from.resolve("kysely"));
    const { Pool } = from("pg");
    const db = new Kysely({
      dialect: new PostgresDialect({ pool: quiet(new Pool({ connectionString: url })) }),
    });
    type Db = { executeQuery(query: unknown): ReturnType<PostgresQuery> };
    const bind =
      (own: Db): PostgresQuery =>
      (text, values) =>
        own.executeQuery(CompiledQuery.raw(text, values));
    return {
      query: bind(db),
      transact: (work) => db.transaction().execute((tx: Db) => work(bind(tx))),
      end: () => db.destroy(),
    };
  },
  async drizzle(url) {
    const { drizzle } = from("drizzle-orm/node-postgres");
    const { sql } = from("drizzle-orm");
    const db = drizzle(url);
    quiet(db.$client);
    // The same function as in the README.
    const bound = (text: string, values: unknown[]) =>
      sql.join(
        text
          .split(/\$\d+/)
          .flatMap((part, n) =>
            n < values.length ? [sql.raw(part), sql`${values[n]}`] : [sql.raw(part)],
          ),
      );
    type Tx = { execute(query: unknown): ReturnType<PostgresQuery> };
    return {
      query: (text, values) => db.$client.query(text, values),
      transact: (work) =>
        db.transaction((tx: Tx) => work((text, values) => tx.execute(bound(text, values)))),
      end: () => db.$client.end(),
    };
  },
};

it.for(Object.entries(drivers))("an outbox works through %s", async ([, open], context) => {
  if ("missing" in packages) return skip(context, packages.missing);
  const bin = postgresBin();
  if (bin === undefined) return skip(context, "PostgreSQL is not installed");
  const server = await startPostgres(bin);
  const driver = await open(server.url);
  try {
    const fake = fakeLedger({ streams: ["orders"] });
    const ledger = new EventLedger({ ...fake.options, numbers: "text" });
    const outbox = postgresOutbox({ query: driver.query });
    await outbox.create();
    const dataText = '{"id":9007199254740993,"text":"$1 and \\u0000 and é"}';
    await driver.transact((tx) =>
      outbox.add(tx, [
        { stream: "orders", key: "a", type: "placed", dataText },
        { stream: "orders", key: "b", data: [1, "$2"], headers: { note: "it's" } },
      ]),
    );
    const failed = driver.transact(async (tx) => {
      await outbox.add(tx, { stream: "orders", key: "c", data: 1 });
      throw new Error("rolled back");
    });
    await expect(failed).rejects.toThrow("rolled back");
    expect(await outbox.status()).toMatchObject({ waiting: 2, parked: 0 });
    fake.lose("answer");
    await outbox.relay(ledger, { untilEmpty: true, pollMs: 1 });
    const events = await collect(ledger.stream("orders").read());
    expect(events).toMatchObject([
      { key: "a", type: "placed", data: { id: "9007199254740993" } },
      { key: "b", data: ["1", "$2"], headers: { note: "it's" } },
    ]);
    expect(await outbox.status()).toMatchObject({ waiting: 0 });
  } finally {
    await driver.end();
    await server.stop();
  }
});
