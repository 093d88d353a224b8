import * as z from "zod/mini";
import { TenantName } from "../tenant.ts";
import { described, ListCursor, Timestamp } from "../text.ts";
import { NewApiKey } from "./api-key.ts";

/** An owner of streams and keys, separate from all others. */
export const Tenant = described(
  z.object({
    name: TenantName,
    createdAt: described(Timestamp, { description: "When the tenant was made." }),
  }),
  {
    id: "Tenant",
    description: "An owner of streams and keys, separate from all others.",
  },
);

/** A tenant with a new key that may do everything in it. */
export const NewTenant = described(
  z.object({
    ...Tenant.shape,
    adminKey: described(NewApiKey, { description: "A key that may do everything in it." }),
  }),
  {
    id: "NewTenant",
    description: "A tenant with a new key that may do everything in it.",
  },
);
export type NewTenant = z.infer<typeof NewTenant>;

export const TenantList = described(
  z.object({ tenants: z.array(Tenant), cursor: z.nullable(ListCursor) }),
  { id: "TenantList", description: "A page of tenants, by name." },
);
