import { CustomAttributeType, Entity } from "electrodb";
import { type Life, livesOf, type ScopedName } from "../model/names.ts";
import { readRows, writeRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** The job of removing one ended life of a stream. Times are milliseconds since 1970. */
export type RemovalRow = {
  readonly life: Life;
  readonly name: ScopedName;
  readonly uid: string;
  readonly partitions: number;
  readonly requestedAt: number;
  /** When the last chain was sealed. Removal starts only some time after this. */
  readonly sealedAt?: number;
  /** The life has an archive, or had one. */
  readonly isArchived?: boolean;
  /** When the last lock of the archive ends. The archive is removed no earlier. */
  readonly lockedUntil?: number;
  /** The number of rows removed so far. */
  readonly removed: number;
};

export const removalEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "removal", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
        partitions: { type: "number", required: true },
        requestedAt: { type: "number", required: true },
        sealedAt: { type: "number" },
        isArchived: { type: "boolean" },
        lockedUntil: { type: "number" },
        removed: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: [], template: "REMOVAL", casing: "none" },
          sk: { field: "sk", composite: ["life"], template: "STREAM#${life}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const removalRows = (connection: Connection, entity: ReturnType<typeof removalEntity>) => ({
  /** Returns every open job, oldest name first. */
  async list(): Promise<RemovalRow[]> {
    const { data } = await readRows(connection, () =>
      entity.query.primary({}).go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /** Returns the job of an earlier life of that name that is being removed. */
  async openFor(name: ScopedName): Promise<RemovalRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.query
        .primary({})
        .begins({ life: livesOf(name) })
        .go({ limit: 1, pages: 1, consistent: true }),
    );
    return data[0];
  },

  async markSealed(life: Life, sealedAt: number): Promise<void> {
    await writeRows(() =>
      entity
        .patch({ life })
        .set({ sealedAt })
        .where((row, { notExists }) => notExists(row.sealedAt))
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  async count(life: Life, removed: number): Promise<void> {
    await writeRows(() => entity.patch({ life }).add({ removed }).go());
  },

  async remove(life: Life): Promise<void> {
    await writeRows(() => entity.delete({ life }).go());
  },
});
