import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { TenantName } from "./tenant.ts";
import { described, ListCursor, queryInteger, Timestamp } from "./text.ts";

export const UsageBy = z.enum(["stream", "key", "tenant"]);
export const UsageStep = z.enum(["hour", "day"]);
export type UsageStep = z.infer<typeof UsageStep>;

export const UsageQuery = z.strictObject({
  by: described(z._default(UsageBy, "stream"), {
    description: "What an entry is about.",
    default: "stream",
  }),
  from: described(z.optional(Timestamp), {
    description:
      "The first hour or day. The default is 24 hours before `to`, and with the step `day` 30 days.",
  }),
  to: described(z.optional(Timestamp), {
    description: `The end, which is not included. The default is now. It is at most ${LIMITS.usageHourDaysMax} days after \`from\` with the step \`hour\`, and ${LIMITS.usageDaysMax} days with \`day\`.`,
  }),
  step: described(z._default(UsageStep, "day"), {
    description: "The time of an entry. Hours and days are those of UTC.",
    default: "day",
  }),
  tenant: described(z.optional(TenantName), {
    description:
      "A tenant other than the caller's own. Only the admin key can name one. With `by=tenant` it gets all tenants if it names none.",
  }),
  limit: described(
    z._default(queryInteger({ min: 1, max: LIMITS.usageMax }), LIMITS.usageDefault),
    { default: LIMITS.usageDefault },
  ),
  cursor: z.optional(ListCursor),
});
export type UsageQuery = z.infer<typeof UsageQuery>;
