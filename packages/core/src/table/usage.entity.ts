import { CustomAttributeType, Entity } from "electrodb";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import type { Life, Tenant } from "../model/names.ts";
import { type HourTally, hourOfDay } from "../model/usage.ts";
import { readRows, writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * The events that a partition published in some hours of one day. Several rows of one partition may
 * contain the same hour. Then the largest numbers count. Times are milliseconds since 1970.
 */
export type PublishedRow = {
  readonly tenant: Tenant;
  /** In UTC, such as `2026-11-29`. */
  readonly day: string;
  readonly life: Life;
  readonly partition: number;
  readonly hours: readonly HourTally[];
  /**
   * The number of events of the partition up to the end of these hours. It orders two writers of
   * one row.
   */
  readonly total: number;
  /** The retention and the size of the archive when the row was written. */
  readonly retentionHours?: number;
  readonly archivedBytes?: number;
  /** When the stream was deleted. */
  readonly endedAt?: number;
};

/** The use of a stream by one key in one hour, as the processes have counted it. */
export type UsedRow = {
  readonly tenant: Tenant;
  readonly day: string;
  /** An API key's id, or `root`. */
  readonly keyId: string;
  /** The name of a stream without its tenant, or `-` for requests that concern none. */
  readonly stream: string;
  /** In hours since 1970. */
  readonly hour: number;
} & Partial<UsedCounts>;

export type UsedCounts = {
  readonly requests: number;
  readonly published: number;
  readonly publishedBytes: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
};

/** Usage is kept this long after its day, also that of deleted streams. */
export const KEPT_DAYS = 400;

const expiryOf = (day: string): number =>
  (hourOfDay(day) * HOUR_MS + (KEPT_DAYS + 1) * DAY_MS) / 1_000;

export const publishedEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "published", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        day: { type: "string", required: true },
        life: { type: CustomAttributeType<Life>("string"), required: true },
        partition: { type: "number", required: true },
        span: { type: "string", required: true },
        hours: { type: CustomAttributeType<readonly HourTally[]>("any"), required: true },
        total: { type: "number", required: true },
        retentionHours: { type: "number" },
        archivedBytes: { type: "number" },
        endedAt: { type: "number" },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["tenant", "day"],
            template: "USAGE#${tenant}#${day}",
            casing: "none",
          },
          sk: {
            field: "sk",
            composite: ["life", "partition", "span"],
            template: "LOG#${life}#P${partition}#${span}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

export const usedEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "used", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        day: { type: "string", required: true },
        keyId: { type: "string", required: true },
        stream: { type: "string", required: true },
        hour: { type: "number", required: true },
        requests: { type: "number" },
        published: { type: "number" },
        publishedBytes: { type: "number" },
        delivered: { type: "number" },
        deliveredBytes: { type: "number" },
        expiresAt: { type: "number" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["tenant", "day"],
            template: "USAGE#${tenant}#${day}",
            casing: "none",
          },
          sk: {
            field: "sk",
            composite: ["keyId", "stream", "hour"],
            template: "KEY#${keyId}#${stream}#${hour}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

/** The rows of usage. They belong to no life of a stream, so they stay when it is deleted. */
export const usageRows = (
  connection: Connection,
  published: ReturnType<typeof publishedEntity>,
  used: ReturnType<typeof usedEntity>,
) => ({
  /**
   * Keeps some hours of a partition. A later row of the same hours takes precedence. Repeating the
   * call is harmless.
   */
  async keep(row: PublishedRow): Promise<void> {
    const first = row.hours[0]?.[0];
    const span = row.hours.length === 0 ? "end" : `${first}-${row.hours.at(-1)?.[0]}`;
    await writeRowsUntilKnown(connection, () =>
      published
        .put({ ...row, hours: [...row.hours], span, expiresAt: expiryOf(row.day) })
        .where(
          (stored, { notExists, lte }) =>
            `${notExists(stored.total)} OR ${lte(stored.total, row.total)}`,
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /**
   * Adds the counts of a process, once. Throws `outcome-unknown` when it is unknown whether they
   * were added.
   */
  async add({ tenant, day, keyId, stream, hour, ...counts }: UsedRow): Promise<void> {
    await writeRows(() =>
      used
        .update({ tenant, day, keyId, stream, hour })
        .add(counts)
        .set({ expiresAt: expiryOf(day) })
        .go(),
    );
  },

  /** Returns everything that the partitions of a tenant published in a day, strongly consistent. */
  async publishedOn(tenant: Tenant, day: string): Promise<PublishedRow[]> {
    const { data } = await readRows(connection, () =>
      published.query
        .primary({ tenant, day })
        .begins({ life: "" as Life })
        .go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /** Returns everything that processes have counted for a tenant in a day, strongly consistent. */
  async usedOn(tenant: Tenant, day: string): Promise<UsedRow[]> {
    const { data } = await readRows(connection, () =>
      used.query
        .primary({ tenant, day })
        .begins({ keyId: "" })
        .go({ pages: "all", consistent: true }),
    );
    return data;
  },
});
