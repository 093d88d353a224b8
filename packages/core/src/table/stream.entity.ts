import type { CreateStream, PatchStream, PutSchemas } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import { type Epoch, lastEpoch } from "../model/epochs.ts";
import type { ScopedName } from "../model/names.ts";
import type { Restored } from "../model/restored.ts";
import { readRows, writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * A stream's row. `createdAt` is in milliseconds since 1970. `partitions` is the number of the last
 * epoch.
 */
export type StreamRow = Omit<CreateStream, "name" | "partitions" | "archiveLock"> & {
  readonly name: ScopedName;
  readonly partitions: number;
  /** True if the stream gets more partitions by itself. */
  readonly auto?: true;
  readonly uid: string;
  readonly status: "live" | "deleting";
  readonly createdAt: number;
  /** The epochs of its partitions. Absent until the number of partitions has changed. */
  readonly epochs?: readonly Epoch[];
  /** The number of partitions of the next epoch, while the stream turns to it. */
  readonly growing?: number;
  /**
   * How many days archived events are kept. It stays when archiving stops, so it is absent only in
   * a stream that never had an archive.
   */
  readonly archiveKeptDays?: number;
  /** How each object of the archive is locked. */
  readonly archiveLock?: ArchiveLock;
  /** The schemas of its events. Absent: none. A new stream has none. */
  readonly schemas?: PutSchemas;
  /**
   * The name of the table that it was made in, or of the table to which the operation after a
   * restore assigned it. In any other table it is a copy in an unknown state. Absent in rows of
   * older versions until a sweep visits them.
   */
  readonly table?: string;
  /** True when the stream was created in a different table and its restore is not complete. */
  readonly copied?: true;
  /** The last restore of the table that this stream went through. */
  readonly restored?: Restored;
  /** The progress through the receipts during a restore that is not complete. */
  readonly restoring?: Restoring;
};

export type ArchiveLock = NonNullable<CreateStream["archiveLock"]>;

export type Restoring = { readonly id: string; readonly receiptsAfter: string };

export const streamEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "stream", version: "1", service: "eventledger" },
      attributes: {
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
        status: { type: ["live", "deleting"] as const, required: true },
        /** The number of the last epoch, from 0. Every write of an epoch has a condition on it. */
        epoch: { type: "number", required: true, default: 0 },
        /**
         * The number of partitions of the first epoch. Code that knows of no epochs therefore meets
         * the end of those partitions, instead of writing keys where they do not belong.
         */
        partitions: { type: "number", required: true },
        epochs: { type: CustomAttributeType<readonly Epoch[]>("any") },
        growing: { type: "number" },
        auto: { type: CustomAttributeType<true>("boolean") },
        compaction: { type: ["key", "none"] as const, required: true },
        retentionHours: { type: "number", required: true },
        archiveDays: { type: "number" },
        archiveKeptDays: { type: "number" },
        archiveLock: { type: ["governance", "compliance"] as const },
        description: { type: "string", required: true },
        /** JSON text, because numbers of a schema may be beyond those of the table. */
        schemas: { type: "string" },
        createdAt: { type: "number", required: true },
        table: { type: "string" },
        restored: { type: CustomAttributeType<Restored>("any") },
        /**
         * The number of restores that the stream went through. A write that replaces `restored` has
         * a condition on it.
         */
        restores: { type: "number" },
        restoring: { type: CustomAttributeType<Restoring>("any") },
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

export const streamRows = (connection: Connection, stream: ReturnType<typeof streamEntity>) => ({
  /**
   * Returns the row of the name's current life, strongly consistent, even while it is being
   * deleted.
   */
  async load(name: ScopedName): Promise<StreamRow | undefined> {
    const { data } = await readRows(connection, () =>
      stream.get({ name }).go({ consistent: true }),
    );
    return data === null ? undefined : toStreamRow(connection, data);
  },

  /**
   * Changes a live stream's settings. A number of partitions only ends that it grows by itself:
   * see `turnTo`. Undefined when this life of it has ended, or when the change would make a lock
   * weaker or shorter.
   */
  async patch(
    name: ScopedName,
    uid: string,
    { archiveDays, partitions, ...changes }: PatchStream,
  ): Promise<StreamRow | undefined> {
    const isAuto = partitions === "auto";
    const days = archiveDays == null ? {} : { archiveDays, archiveKeptDays: archiveDays };
    const { archiveLock } = changes;
    const { rejected, data } = await writeRows(() =>
      stream
        .patch({ name })
        .set(presentOf({ ...changes, ...days, ...(isAuto ? { auto: true as const } : {}) }))
        .remove([
          ...(archiveDays === null ? (["archiveDays"] as const) : []),
          ...(partitions === undefined || isAuto ? [] : (["auto"] as const)),
        ])
        .where((row, { eq, ne, exists, notExists, lte }) => {
          const isLive = `${eq(row.uid, uid)} AND ${eq(row.status, "live")}`;
          const isLonger =
            archiveDays == null
              ? ""
              : ` AND (${notExists(row.archiveLock)} OR ${lte(row.archiveKeptDays, archiveDays)})`;
          const isStronger =
            archiveLock === "governance"
              ? ` AND (${notExists(row.archiveLock)} OR ${ne(row.archiveLock, "compliance")})`
              : "";
          const hasDays =
            archiveLock === undefined || archiveDays != null
              ? ""
              : ` AND ${exists(row.archiveDays)}`;
          return `${isLive}${isLonger}${isStronger}${hasDays}`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toStreamRow(connection, data);
  },

  /**
   * Records that a live stream gets `partitions` partitions after its last epoch. Undefined when
   * that epoch is not the last one any more, when the stream turns already, or has ended, and with
   * `ifAuto` also when it does not grow by itself any more.
   */
  async turnTo(
    row: Pick<StreamRow, "name" | "uid" | "epochs">,
    partitions: number,
    { ifAuto = false }: { readonly ifAuto?: boolean } = {},
  ): Promise<StreamRow | undefined> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      stream
        .patch({ name: row.name })
        .set({ growing: partitions })
        .where((stored, operations) => {
          const { eq, notExists } = operations;
          const isLive = `${eq(stored.uid, row.uid)} AND ${eq(stored.status, "live")}`;
          const isAuto = ifAuto ? ` AND ${eq(stored.auto, true)}` : "";
          return `${isLive} AND ${isAtEpoch(stored, operations, row)} AND ${notExists(stored.growing)}${isAuto}`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toStreamRow(connection, data);
  },

  /**
   * Replaces a live stream's schemas. False when this life of it has ended, or when its schemas are
   * no longer those of `row`.
   */
  async setSchemas({ name, uid, schemas: former }: StreamRow, schemas: PutSchemas | undefined) {
    const { rejected } = await writeRows(() =>
      stream
        .patch({ name })
        .set(schemas === undefined ? {} : { schemas: JSON.stringify(schemas) })
        .remove(schemas === undefined ? ["schemas"] : [])
        .where((row, { eq, notExists }) => {
          const isLive = `${eq(row.uid, uid)} AND ${eq(row.status, "live")}`;
          const isSame =
            former === undefined ? notExists(row.schemas) : eq(row.schemas, JSON.stringify(former));
          return `${isLive} AND ${isSame}`;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /**
   * Records which table a stream belongs to, if no table is recorded yet. Repeating the call is
   * harmless.
   */
  async nameTable(name: ScopedName, uid: string): Promise<void> {
    await writeRows(() =>
      stream
        .patch({ name })
        .set({ table: connection.table })
        .where((row, { eq, notExists }) => `${eq(row.uid, uid)} AND ${notExists(row.table)}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /** Removes a life whose deletion is complete. Does nothing when a new life has begun. */
  async remove(name: ScopedName, uid: string): Promise<void> {
    await writeRows(() =>
      stream
        .remove({ name })
        .where((row, { eq }) => `${eq(row.uid, uid)} AND ${eq(row.status, "deleting")}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});

/** Returns an object without its absent members. */
const presentOf = <T extends object>(of: T): Present<T> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Present<T>;

type Present<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

type StoredStream = Omit<StreamRow, "archiveDays" | "schemas"> & {
  schemas?: string;
  archiveDays?: number;
  epoch: number;
  restores?: number;
};

/** Returns a stream from its row. It is a copy if it was made in another table. */
export const toStreamRow = ({ table: here }: Connection, row: StoredStream): StreamRow => {
  const { epoch: _, restores: __, archiveDays = null, schemas: text, ...rest } = row;
  const schemas: { schemas?: PutSchemas } = text === undefined ? {} : { schemas: JSON.parse(text) };
  const copied = row.table !== undefined && row.table !== here;
  const { partitions } = lastEpoch(row);
  return { ...rest, ...schemas, partitions, archiveDays, ...(copied ? { copied } : {}) };
};

/** The number of a stream's last epoch, as its row counts them. */
export const epochNumber = ({ epochs = [] }: Pick<StreamRow, "epochs">): number =>
  Math.max(0, epochs.length - 1);

/** The condition that the last epoch of a stream is still that of `row`. */
export const isAtEpoch = <Name>(
  stored: { readonly epoch: Name },
  { eq, notExists }: { eq(name: Name, value: number): string; notExists(name: Name): string },
  row: Pick<StreamRow, "epochs">,
): string => {
  const known = epochNumber(row);
  return known === 0
    ? `(${notExists(stored.epoch)} OR ${eq(stored.epoch, 0)})`
    : eq(stored.epoch, known);
};
