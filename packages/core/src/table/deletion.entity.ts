import type { KeyScope } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import { DAY_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { readRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * The rights that a caller needed to see something. The same rights are needed to learn of its
 * deletion.
 */
export type Reach = {
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
};

/**
 * A record that something was deleted, for a client that repeats the request after a lost answer.
 */
export type DeletionRow = {
  /** The life of a stream for its subscription, or the tenant for its API key. */
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

/**
 * Returns the row of a deletion that happens now. It is kept for at least a day, whatever the clock
 * skew.
 */
export const toDeletion = (row: DeletionRow, nowMs: number) => ({
  ...row,
  expiresAt: Math.ceil((nowMs + KEPT_MS) / 1_000),
});

export const deletionRows = (
  connection: Connection,
  entity: ReturnType<typeof deletionEntity>,
) => ({
  /**
   * Returns the rights that were needed to see something deleted within the last day, or undefined.
   */
  async load(of: DeletedFrom, name: string): Promise<Reach | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ of, name }).go({ consistent: true }),
    );
    return data?.reach;
  },
});
