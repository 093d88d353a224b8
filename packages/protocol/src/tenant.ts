import * as z from "zod";
import { LIMITS } from "./limits.ts";

const TENANT = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.tenantCharsMax - 1}}$`);

export const TenantName = z
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
