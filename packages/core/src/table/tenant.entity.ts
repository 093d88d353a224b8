import { CustomAttributeType, Entity } from "electrodb";
import type { Tenant } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** A tenant. `createdAt` is in milliseconds since 1970. The default tenant has no row. */
export type TenantRow = { readonly name: Tenant; readonly createdAt: number };

export const tenantEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "tenant", version: "1", service: "eventledger" },
      attributes: {
        name: { type: CustomAttributeType<Tenant>("string"), required: true },
        createdAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: [], template: "TENANTS", casing: "none" },
          sk: { field: "sk", composite: ["name"], template: "TENANT#${name}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const tenantRows = (connection: Connection, entity: ReturnType<typeof tenantEntity>) => ({
  /** Creates a tenant. Returns the existing one instead, if there is one. */
  async create(row: TenantRow): Promise<{ tenant: TenantRow; created: boolean }> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      entity.create(row).go({ returnOnConditionCheckFailure: "all_old" }),
    );
    return rejected && data !== null
      ? { tenant: data, created: data.createdAt === row.createdAt }
      : { tenant: row, created: true };
  },

  /** Returns up to `limit` tenants, by name, after `after`. `next` is null at the end. */
  async list(
    limit: number,
    after: string | undefined,
  ): Promise<{ tenants: TenantRow[]; next: Tenant | null }> {
    const query = entity.query.primary({});
    const ranged = after === undefined ? query : query.gt({ name: after as Tenant });
    const page = await readRows(connection, () => ranged.go({ limit, pages: 1, consistent: true }));
    const next = page.cursor === null ? null : (page.data.at(-1)?.name ?? null);
    return { tenants: page.data, next };
  },
});
