import { CustomAttributeType, Entity } from "electrodb";
import { HOUR_MS } from "../kernel/time.ts";
import type { Life } from "../model/names.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** A worker of a subscription. It counts as alive until `until` (milliseconds since 1970). */
export type MemberRow = {
  readonly consumer: string;
  readonly until: number;
  /** The id of its last departure. Polls that began before it end. */
  readonly left?: string | undefined;
};

export const memberEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "member", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        subscriptionUid: { type: "string", required: true, field: "u" },
        consumer: { type: "string", required: true, field: "c" },
        until: { type: "number", required: true, field: "e" },
        left: { type: "string", field: "d" },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "subscriptionUid"],
            template: "STREAM#${life}#SUB#${subscriptionUid}",
            casing: "none",
          },
          sk: {
            field: "sk",
            composite: ["consumer"],
            template: "MEMBER#${consumer}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

/** Rows of workers that are gone remain for a while, until the store expires them. */
const KEPT_SECONDS = (HOUR_MS + CLOCKS_APART_MS) / 1_000;

export const memberRows = (connection: Connection, entity: ReturnType<typeof memberEntity>) => ({
  /** Returns all workers with a recent sign of life, dead ones included, strongly consistent. */
  async list(life: Life, subscriptionUid: string): Promise<MemberRow[]> {
    const { data } = await readRows(connection, () =>
      entity.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: true }),
    );
    return data.map(({ consumer, until, left }) => ({ consumer, until, left }));
  },

  /**
   * Returns false when the worker has left since then. A departure whose row is deleted is too old
   * to matter. Repeating the call is harmless.
   */
  async put(
    life: Life,
    subscriptionUid: string,
    { consumer, until, left }: MemberRow,
  ): Promise<boolean> {
    const expiresAt = Math.ceil(until / 1_000) + KEPT_SECONDS;
    const departed = left === undefined ? {} : { left };
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .put({ life, subscriptionUid, consumer, until, expiresAt, ...departed })
        .where((row, { eq, notExists }) =>
          left === undefined
            ? notExists(row.left)
            : `${eq(row.left, left)} OR ${notExists(row.until)}`,
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Deletes the row of a worker, unless it has changed. Repeating the call is harmless. */
  async forget(
    life: Life,
    subscriptionUid: string,
    { consumer, until, left }: MemberRow,
  ): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      entity
        .delete({ life, subscriptionUid, consumer })
        .where((row, { eq, notExists }) =>
          left === undefined
            ? `${eq(row.until, until)} AND ${notExists(row.left)}`
            : `${eq(row.until, until)} AND ${eq(row.left, left)}`,
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /**
   * Records a departure. The row remains for longer than any poll waits. Repeating the call is
   * harmless.
   */
  async leave(
    life: Life,
    subscriptionUid: string,
    { consumer, left, nowMs }: { consumer: string; left: string; nowMs: number },
  ): Promise<void> {
    const expiresAt = Math.ceil(nowMs / 1_000) + KEPT_SECONDS;
    await writeRowsUntilKnown(connection, () =>
      entity.put({ life, subscriptionUid, consumer, until: 0, left, expiresAt }).go(),
    );
  },
});
