import type { OutboxRow } from "../event.ts";
import type { OutboxStore } from "../store.ts";
import { ask, type PostgresQuery } from "./query.ts";

/** The outbox in PostgreSQL. Each call is one statement, so it works through any pool. */
export function postgresStore(query: PostgresQuery, table: string): OutboxStore {
  const relays = `${table}_relays`;
  /**
   * Returns the condition for events that are not parked, and do not wait for a parked one of their
   * key.
   */
  const isFree = (row: string) => `${row}.refused IS NULL AND NOT EXISTS (
    SELECT 1 FROM ${table} AS parked WHERE parked.refused IS NOT NULL
    AND parked.stream = ${row}.stream AND parked.key = ${row}.key
    AND parked.position < ${row}.position)`;
  const positionsOf = (batch: string) =>
    `SELECT place::bigint FROM ${batch}, json_array_elements_text(positions::json) AS place`;

  return {
    async streams() {
      // Skips from stream to stream along the index.
      const rows = await ask<{ stream: string }>(
        query,
        `WITH RECURSIVE listed AS (
           SELECT min(stream) AS stream FROM ${table}
           UNION ALL
           SELECT (SELECT min(stream) FROM ${table} WHERE stream > listed.stream) FROM listed
           WHERE listed.stream IS NOT NULL
         )
         SELECT stream FROM listed WHERE EXISTS (
           SELECT 1 FROM ${table} AS waiting WHERE waiting.stream = listed.stream AND ${isFree("waiting")})
         UNION SELECT stream FROM ${relays} WHERE batch IS NOT NULL`,
      );
      return rows.map(({ stream }) => stream);
    },

    async claim(stream, owner, leaseMs) {
      const rows = await ask(
        query,
        `INSERT INTO ${relays} AS relay (stream, owner, until)
         VALUES ($1, $2, clock_timestamp() + $3::float * interval '1 millisecond')
         ON CONFLICT (stream) DO UPDATE SET owner = excluded.owner, until = excluded.until
         WHERE relay.owner = excluded.owner OR relay.until < clock_timestamp()
         RETURNING 1 AS claimed`,
        ...[stream, owner, leaseMs],
      );
      return rows.length > 0;
    },

    async batch(stream, owner, name, { eventsMax, bytesMax }) {
      // A lease changes its owner in a separate statement, so the snapshot of this one shows
      // everything that the former owner has done.
      if (name !== undefined) {
        await ask(
          query,
          `UPDATE ${relays} SET batch = $1, named = clock_timestamp(), positions = next.positions
           FROM (
             SELECT json_agg(position ORDER BY position)::text AS positions FROM (
               SELECT position, row_number() OVER (ORDER BY position) AS place, sum(
                 octet_length(data) + octet_length(key) + coalesce(octet_length(headers), 0) + 512
               ) OVER (ORDER BY position) AS bytes
               FROM (
                 SELECT * FROM ${table} AS waiting WHERE waiting.stream = $2 AND ${isFree("waiting")}
                 ORDER BY waiting.position LIMIT $3::int
               ) AS first
             ) AS sized WHERE bytes <= $4::float OR place = 1
           ) AS next
           WHERE stream = $5 AND owner = $6 AND batch IS NULL AND next.positions IS NOT NULL`,
          ...[name, stream, eventsMax, bytesMax, stream, owner],
        );
      }
      const rows = await ask<OutboxRow & { batch: string; age: number | string }>(
        query,
        `SELECT begun.batch, waiting.position::text AS position, waiting.key, waiting.type, waiting.id, waiting.time,
           waiting.headers, waiting.data,
           extract(epoch FROM clock_timestamp() - begun.named)::float * 1000 AS age
         FROM ${relays} AS begun
         LEFT JOIN ${table} AS waiting ON waiting.position IN (
           SELECT place::bigint FROM json_array_elements_text(begun.positions::json) AS place)
         WHERE begun.stream = $1 AND begun.batch IS NOT NULL ORDER BY waiting.position`,
        stream,
      );
      const [first] = rows;
      if (first === undefined) return undefined;
      const begun = rows.filter(({ position }) => position !== null);
      return { id: first.batch, ageMs: Number(first.age), rows: begun };
    },

    async rename(stream, from, to) {
      const text = `UPDATE ${relays} SET batch = $1, named = clock_timestamp()
        WHERE stream = $2 AND batch = $3`;
      await ask(query, text, to, stream, from);
    },

    async finish(stream, id) {
      await ask(
        query,
        `WITH done AS (
           UPDATE ${relays} AS relay SET batch = NULL, positions = NULL, named = NULL
           FROM (
             SELECT stream, batch, positions FROM ${relays} WHERE stream = $1 AND batch = $2
             FOR UPDATE
           ) AS begun
           WHERE relay.stream = begun.stream RETURNING begun.positions
         )
         DELETE FROM ${table} WHERE position IN (${positionsOf("done")})`,
        ...[stream, id],
      );
    },

    async park(stream, id, reasons) {
      await ask(
        query,
        `WITH done AS (
           UPDATE ${relays} SET batch = NULL, positions = NULL, named = NULL
           WHERE stream = $1 AND batch = $2 RETURNING 1
         )
         UPDATE ${table} AS waiting SET refused = each.reason
         FROM json_to_recordset($3::text::json) AS each (position bigint, reason text)
         WHERE waiting.position = each.position AND EXISTS (SELECT 1 FROM done)`,
        stream,
        id,
        JSON.stringify([...reasons].map(([position, reason]) => ({ position, reason }))),
      );
    },

    async release(owner) {
      const text = `UPDATE ${relays} SET owner = NULL, until = clock_timestamp() WHERE owner = $1`;
      await ask(query, text, owner);
    },

    async waitingKeys(stream, keys) {
      const rows = await ask<{ key: string }>(
        query,
        `SELECT DISTINCT key FROM ${table}
         WHERE stream = $1 AND key IN (SELECT json_array_elements_text($2::text::json))`,
        ...[stream, JSON.stringify(keys)],
      );
      return new Set(rows.map(({ key }) => key));
    },
  };
}
