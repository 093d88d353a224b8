import type { KeyScope } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import { DAY_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { readRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** What a caller had to reach to know of something: as much as to know that it is deleted. */
export type Reach = {
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
};

/**
 * That something was deleted, kept for those who repeat the request because its answer was lost.
 */
export type DeletionRow = {
  /** The life of a stream whose subscription it was, or the tenant whose API key. */
  readonly of: DeletedFrom;
  readonly name: string;
  readonly reach: Reach;
};

export type DeletedFrom = `SUB#${string}` | `KEY#${string}`;

export const deletionEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "deletion", version: "1", service: "eventledger" },
      attributes: {
        of: { type: CustomAttributeType<DeletedFrom>("string"), required: true },
        name: { type: "string", required: true },
        reach: { type: CustomAttributeType<Reach>("any"), required: true },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["of"], template: "DELETED#${of}", casing: "none" },
          sk: { field: "sk", composite: ["name"], template: "NAME#${name}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

const KEPT_MS = DAY_MS + CLOCKS_APART_MS;

/** The row of a deletion that happens now: kept for a day at least, whatever the clocks say. */
export const toDeletion = (row: DeletionRow, nowMs: number) => ({
  ...row,
  expiresAt: Math.ceil((nowMs + KEPT_MS) / 1_000),
});

export const deletionRows = (
  connection: Connection,
  entity: ReturnType<typeof deletionEntity>,
) => ({
  /** What had to be reached of something that was deleted within the last day, or undefined. */
  async load(of: DeletedFrom, name: string): Promise<Reach | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ of, name }).go({ consistent: true }),
    );
    return data?.reach;
  },
});
