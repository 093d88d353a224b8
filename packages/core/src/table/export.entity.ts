import { CustomAttributeType, Entity } from "electrodb";
import { DAY_MS } from "../kernel/time.ts";
import type { Life, ScopedName } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** An object of an export. Its number is its place in the list of parts, from 0. */
export type ExportPart = {
  readonly events: number;
  /** The size of its lines, and of the object. */
  readonly rawBytes: number;
  readonly bytes: number;
  /** The SHA-256 of the object in hexadecimal digits. */
  readonly sha256: string;
  /** For each partition with events, the first and the last sequence. Empty for a state. */
  readonly ranges: readonly (readonly [partition: number, first: number, last: number])[];
};

/** A job that writes events or states to objects. Times are milliseconds since 1970. */
export type ExportRow = {
  readonly life: Life;
  readonly id: string;
  readonly name: ScopedName;
  readonly uid: string;
  readonly view: "log" | "state";
  /** Where the reading ends. Only for events. */
  readonly until?: string;
  /** Where the next part begins. */
  readonly cursor?: string;
  /** Where a reader continues after the export. */
  readonly follow?: string;
  readonly status: "running" | "done" | "failed";
  /** Why the export failed: the code of a problem. */
  readonly problem?: string;
  readonly createdAt: number;
  /** When its objects are removed. */
  readonly endsAt: number;
  readonly parts: readonly ExportPart[];
  /** Counts the changes of the row. */
  readonly version: number;
};

/** The attributes of an export that a step changes. */
export type ExportChange = Partial<
  Pick<ExportRow, "cursor" | "follow" | "status" | "problem" | "parts" | "endsAt">
>;

export const exportEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "export", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        id: { type: "string", required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
        view: { type: ["log", "state"] as const, required: true },
        until: { type: "string" },
        cursor: { type: "string" },
        follow: { type: "string" },
        status: { type: ["running", "done", "failed"] as const, required: true },
        problem: { type: "string" },
        createdAt: { type: "number", required: true },
        endsAt: { type: "number", required: true },
        parts: { type: CustomAttributeType<readonly ExportPart[]>("any"), required: true },
        version: { type: "number", required: true },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: [], template: "EXPORTS", casing: "none" },
          sk: {
            field: "sk",
            composite: ["life", "id"],
            template: "STREAM#${life}#EXPORT#${id}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

/**
 * Sweeps remove ended exports. The store expires a row only if no sweep has done so for this long.
 */
const KEPT_MS = 30 * DAY_MS;

export const exportRows = (connection: Connection, entity: ReturnType<typeof exportEntity>) => ({
  /** Puts a new export. Repeating the call is harmless. */
  async create(row: ExportRow): Promise<void> {
    const expiresAt = Math.ceil((row.endsAt + KEPT_MS) / 1_000);
    await writeRowsUntilKnown(connection, () => entity.put({ ...row, expiresAt }).go());
  },

  /** Returns an export, strongly consistent. */
  async load(life: Life, id: string): Promise<ExportRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, id }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /** Returns the ids of all exports of a life, and when each ends. Some have ended. */
  async idsOf(life: Life): Promise<Pick<ExportRow, "id" | "endsAt">[]> {
    const attributes = ["id", "endsAt"] as const;
    const { data } = await readRows(connection, () =>
      entity.query
        .primary({ life })
        .go({ pages: "all", consistent: true, attributes: [...attributes] }),
    );
    return data;
  },

  /** Returns every export of every stream. */
  async list(): Promise<ExportRow[]> {
    const { data } = await readRows(connection, () =>
      entity.query.primary({}).go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /**
   * Changes an export if it is still as it was read. Returns false when another request has changed
   * it, or an earlier attempt of this same call.
   */
  async change({ life, id, version }: ExportRow, change: ExportChange): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, id })
        .set({ ...change, version: version + 1 })
        .where((row, { eq }) => eq(row.version, version))
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  async remove(life: Life, id: string): Promise<void> {
    await writeRowsUntilKnown(connection, () => entity.delete({ life, id }).go());
  },
});
