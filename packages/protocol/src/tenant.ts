import * as z from "zod";
import { NewApiKey } from "./api-key.ts";
import { LIMITS } from "./limits.ts";
import { ListCursor, Timestamp } from "./text.ts";

const TENANT = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.tenantCharsMax - 1}}$`);

const TenantName = z
  .string()
  .regex(TENANT, {
    error: `must match ${TENANT.source}: lower-case letters, digits, dot, dash and underscore`,
  })
  .meta({ id: "TenantName", examples: ["acme"] });

export const CreateTenant = z
  .strictObject({
    name: TenantName.refine((name) => name !== "default", {
      error: "must not be default: that tenant is always there",
    }),
  })
  .meta({ id: "CreateTenant", examples: [{ name: "acme" }] });
export type CreateTenant = z.infer<typeof CreateTenant>;

/** Somebody who owns streams and keys, and sees nobody else's. */
export const Tenant = z.object({ name: TenantName, createdAt: Timestamp }).meta({ id: "Tenant" });

/** A tenant with a new key that may do everything in it. */
export const NewTenant = z
  .object({ ...Tenant.shape, adminKey: NewApiKey })
  .meta({ id: "NewTenant" });
export type NewTenant = z.infer<typeof NewTenant>;

export const TenantList = z
  .object({ tenants: z.array(Tenant), cursor: ListCursor.nullable() })
  .meta({ id: "TenantList" });
