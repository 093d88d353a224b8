export type { LedgerClient } from "./client.ts";
export {
  type BatchResponse,
  type DynamoRecord,
  type DynamoRelayOptions,
  dynamoRelay,
} from "./dynamodb.ts";
export type { OutboxEvent, OutboxRow } from "./event.ts";
export type { About, GuardOptions, Received } from "./guard.ts";
export { InvalidEvent, type Issue } from "./invalid-event.ts";
export type { Publishing } from "./outbox.ts";
export { type PostgresGuard, postgresGuard } from "./postgres/guard.ts";
export {
  type PostgresOutbox,
  type PostgresOutboxOptions,
  postgresOutbox,
} from "./postgres/outbox.ts";
export type { PostgresQuery, PostgresTransaction } from "./postgres/query.ts";
export { postgresGuardSchema, postgresOutboxSchema } from "./postgres/schema.ts";
export type { RelayOptions } from "./relay.ts";
export type { SnapshotOptions, SnapshotReport, State } from "./snapshot.ts";
export type { SqliteDatabase, SqliteValue } from "./sqlite/database.ts";
export { type SqliteGuard, sqliteGuard } from "./sqlite/guard.ts";
export { type SqliteOutbox, type SqliteOutboxOptions, sqliteOutbox } from "./sqlite/outbox.ts";
export { sqliteGuardSchema, sqliteOutboxSchema } from "./sqlite/schema.ts";
export type { OutboxStatus, ParkedEvent } from "./store.ts";
