import * as z from "zod/mini";
import { TenantName } from "../tenant.ts";
import { described, ListCursor, Timestamp } from "../text.ts";
import { NewApiKey } from "./api-key.ts";

/** An owner of streams and keys, separate from all others. */
export const Tenant = described(
  z.object({
    name: TenantName,
    createdAt: described(Timestamp, { description: "When the tenant was created." }),
  }),
  {
    id: "Tenant",
    description: "An owner of streams and keys, separate from all others.",
  },
);

/** A new tenant, with a key that has all rights in it. */
export const NewTenant = described(
  z.object({
    ...Tenant.shape,
    adminKey: described(NewApiKey, { description: "A key that has all rights in the tenant." }),
  }),
  {
    id: "NewTenant",
    description: "A tenant with a new key that has all rights in it.",
  },
);
export type NewTenant = z.infer<typeof NewTenant>;

export const TenantList = described(
  z.object({ tenants: z.array(Tenant), cursor: z.nullable(ListCursor) }),
  { id: "TenantList", description: "A page of tenants, by name." },
);
