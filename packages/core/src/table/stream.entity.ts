import type { CreateStream } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import { type ScopedName, scopeName, type Tenant } from "../kernel/names.ts";
import { readRows, writeRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { readEach } from "./in-part.ts";

/** A stream's row. `createdAt` is in milliseconds since 1970. */
export type StreamRow = Omit<CreateStream, "name"> & {
  readonly name: ScopedName;
  readonly uid: string;
  readonly status: "live" | "deleting";
  readonly createdAt: number;
  /** The last restore of the table that this stream went through. */
  readonly restored?: Restored;
};

/** `at` is the moment of the operation, milliseconds since 1970; no two of a stream are the same. */
export type Restored = { readonly id: string; readonly at: number };

export const streamEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "stream", version: "1", service: "eventledger" },
      attributes: {
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
        status: { type: ["live", "deleting"] as const, required: true },
        /** Which partitioning its keys follow; rescaling will count it up. */
        epoch: { type: "number", required: true, default: 0 },
        partitions: { type: "number", required: true },
        compaction: { type: ["key", "none"] as const, required: true },
        retentionHours: { type: "number", required: true },
        description: { type: "string", required: true },
        createdAt: { type: "number", required: true },
        restored: { type: CustomAttributeType<Restored>("any") },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["name"], template: "STREAM#${name}", casing: "none" },
          sk: { field: "sk", composite: [], template: "META", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** The list of a tenant's live streams, so that listing needs no index. */
export const directoryEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "directory", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["tenant"], template: "TENANT#${tenant}", casing: "none" },
          sk: { field: "sk", composite: ["name"], template: "STREAM#${name}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** All names that begin with `prefix`, or just that one. */
export type NameRange = { readonly prefix: string; readonly exact: boolean };

const EVERY_NAME: NameRange = { prefix: "", exact: false };

/** Above all characters of names. */
const LAST = "~";

/** Nothing lies between a name and this, because no character of names is lower. */
const scopedBehind = (name: ScopedName): ScopedName => `${name}!` as ScopedName;

export const streamRows = (
  connection: Connection,
  stream: ReturnType<typeof streamEntity>,
  directory: ReturnType<typeof directoryEntity>,
) => ({
  /** The row of the name's present life, strongly consistent; also while it is being deleted. */
  async load(name: ScopedName): Promise<StreamRow | undefined> {
    const { data } = await readRows(connection, () =>
      stream.get({ name }).go({ consistent: true }),
    );
    return data === null ? undefined : toRow(data);
  },

  /**
   * Up to `limit` of a tenant's streams, by name, behind `after`, of those in a range of names if one
   * is given; those that are being deleted are left out. `next` is where the list goes on, null at
   * its end.
   */
  async list(
    tenant: Tenant,
    limit: number,
    after?: ScopedName,
    { prefix, exact }: NameRange = EVERY_NAME,
  ): Promise<{ streams: StreamRow[]; next: ScopedName | null }> {
    const start = scopeName(tenant, prefix);
    const behind = after === undefined ? start : scopedBehind(after);
    // biome-ignore lint/complexity/useMathMinMax: these are strings
    const first = behind > start ? behind : start;
    const last = exact ? start : scopeName(tenant, `${prefix}${LAST}`);
    if (first > last) return { streams: [], next: null };
    const page = await readRows(connection, () =>
      directory.query
        .primary({ tenant })
        .between({ name: first }, { name: last })
        .go({ limit, pages: 1, consistent: true }),
    );
    const next = page.cursor === null ? null : (page.data.at(-1)?.name ?? null);
    if (page.data.length === 0) return { streams: [], next };
    const names = page.data.map(({ name }) => ({ name }));
    const rows = await readEach(connection, names, (keys) =>
      stream.get(keys).go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
    const streams = rows.flatMap((row) => (row?.status === "live" ? [toRow(row)] : []));
    return { streams, next };
  },

  /** Changes a live stream's settings; undefined when this life of it has ended. */
  async patch(
    name: ScopedName,
    uid: string,
    changes: { description?: string; retentionHours?: number },
  ): Promise<StreamRow | undefined> {
    const { rejected, data } = await writeRows(() =>
      stream
        .patch({ name })
        .set(changes)
        .where((row, { eq }) => `${eq(row.uid, uid)} AND ${eq(row.status, "live")}`)
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toRow(data);
  },

  /** Forgets a life whose deletion is complete. Nothing happens when another life has begun. */
  async remove(name: ScopedName, uid: string): Promise<void> {
    await writeRows(() =>
      stream
        .remove({ name })
        .where((row, { eq }) => `${eq(row.uid, uid)} AND ${eq(row.status, "deleting")}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});

const toRow = (row: Omit<StreamRow, "archiveDays"> & { epoch: number }): StreamRow => {
  const { epoch: _, ...rest } = row;
  return { ...rest, archiveDays: null };
};
