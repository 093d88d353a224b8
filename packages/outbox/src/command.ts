#!/usr/bin/env node
import { postgresGuardSchema, postgresOutboxSchema } from "./postgres/schema.ts";
import { sqliteGuardSchema, sqliteOutboxSchema } from "./sqlite/schema.ts";

const USAGE = `Usage: eventledger-outbox sql <postgres|sqlite> [outbox|guard] [table]

Prints the SQL that creates the tables of an outbox, or of a guard for consumers.
`;

const SCHEMAS = {
  postgres: { outbox: postgresOutboxSchema, guard: postgresGuardSchema },
  sqlite: { outbox: sqliteOutboxSchema, guard: sqliteGuardSchema },
};

const [verb, database = "", part = "outbox", table, ...rest] = process.argv.slice(2);
const schemas = Object.hasOwn(SCHEMAS, database) ? SCHEMAS[database as "postgres"] : undefined;
const schema =
  schemas !== undefined && Object.hasOwn(schemas, part) ? schemas[part as "outbox"] : undefined;

if (verb === "--help" || verb === "-h") {
  process.stdout.write(USAGE);
} else if (verb !== "sql" || schema === undefined || rest.length > 0) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(
      schema(table)
        .map((statement) => `${statement};\n`)
        .join("\n"),
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
