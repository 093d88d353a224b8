import { CustomAttributeType, Entity } from "electrodb";
import type { Tenant } from "../model/names.ts";
import type { Buckets, Limits } from "../model/quota.ts";
import { readRows, writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** The limits of a tenant or of one of its keys, and the tokens that are left. */
export type QuotaRow = {
  readonly tenant: Tenant;
  /** An API key's id, or `-` for the tenant. */
  readonly of: string;
  readonly limits: Limits;
  readonly buckets: Buckets;
  /** Counts the changes of the row. */
  readonly version: number;
};

/** Replaces the key's id in the row of a tenant. */
export const TENANT_QUOTA = "-";

export const quotaEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "quota", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        of: { type: "string", required: true },
        limits: { type: CustomAttributeType<Limits>("any"), required: true },
        buckets: { type: CustomAttributeType<Buckets>("any"), required: true },
        version: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["tenant"], template: "QUOTA#${tenant}", casing: "none" },
          sk: { field: "sk", composite: ["of"], template: "OF#${of}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const quotaRows = (connection: Connection, entity: ReturnType<typeof quotaEntity>) => ({
  /** Returns the quota of a tenant or a key, strongly consistent. */
  async load(tenant: Tenant, of: string): Promise<QuotaRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ tenant, of }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /** Sets the limits. Repeating the call is harmless. */
  async set(row: QuotaRow): Promise<void> {
    await writeRowsUntilKnown(connection, () => entity.put(row).go());
  },

  /** Repeating the call is harmless. */
  async remove(tenant: Tenant, of: string): Promise<void> {
    await writeRowsUntilKnown(connection, () => entity.delete({ tenant, of }).go());
  },

  /**
   * Takes tokens if the row is still as it was read. Returns the new row. If the row was different,
   * returns that row, or undefined if there is none. The write is sent only once. If its answer is
   * lost, the tokens are not used.
   */
  async take(
    { tenant, of, version }: QuotaRow,
    buckets: Buckets,
  ): Promise<{ readonly taken: boolean; readonly row: QuotaRow | undefined }> {
    const { rejected, data } = await writeRows(() =>
      entity
        .patch({ tenant, of })
        .set({ buckets, version: version + 1 })
        .where((row, { eq }) => eq(row.version, version))
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" }),
    );
    return { taken: !rejected, row: data ?? undefined };
  },
});
