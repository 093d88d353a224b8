import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { described } from "./text.ts";

const TENANT = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${LIMITS.tenantCharsMax - 1}}$`);

export const TenantName = described(
  z.string().check(
    z.regex(TENANT, {
      error: `must match ${TENANT.source}: lower-case letters, digits, dot, dash and underscore`,
    }),
  ),
  { id: "TenantName", examples: ["acme"] },
);

export const CreateTenant = described(
  z.strictObject({
    name: TenantName.check(
      z.refine((name) => name !== "default", {
        error: "must not be default: that tenant is always there",
      }),
    ),
  }),
  { id: "CreateTenant", examples: [{ name: "acme" }] },
);
export type CreateTenant = z.infer<typeof CreateTenant>;
