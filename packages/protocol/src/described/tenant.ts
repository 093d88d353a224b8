import * as z from "zod";
import { TenantName } from "../tenant.ts";
import { ListCursor, Timestamp } from "../text.ts";
import { NewApiKey } from "./api-key.ts";

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
