import * as z from "zod/mini";
import { ApiKeyId } from "./api-key.ts";
import { TenantName } from "./tenant.ts";
import { boundedInteger, described } from "./text.ts";

const limit = (description: string) =>
  described(z.optional(boundedInteger({ min: 1, max: Number.MAX_SAFE_INTEGER })), { description });

const rates = {
  requestsPerSecond: limit("Requests of every kind."),
  eventsPerSecond: limit("Published events. Reading is not limited by this."),
  bytesPerSecond: limit(
    "The bytes of the data of published events. Reading is not limited by this.",
  ),
};

export const KeyQuota = described(z.strictObject(rates), {
  id: "KeyQuota",
  description: "The limits of an API key. An absent member sets no limit.",
  examples: [{ requestsPerSecond: 100, eventsPerSecond: 500 }],
});
export type KeyQuota = z.infer<typeof KeyQuota>;

export const TenantQuota = described(
  z.strictObject({
    ...rates,
    streams: limit("The number of streams."),
    subscriptions: limit("The number of subscriptions of all streams."),
    storedBytes: limit(
      "What the tenant may store: `hotBytes`, `compactedBytes` and `archivedBytes` of its usage together. Publishing stops beyond it.",
    ),
  }),
  {
    id: "TenantQuota",
    description: "The limits of a tenant. An absent member sets no limit.",
    examples: [{ requestsPerSecond: 1_000, streams: 20, storedBytes: 10_000_000_000 }],
  },
);
export type TenantQuota = z.infer<typeof TenantQuota>;

/** The limits of a tenant or of a key. */
export type Quota = TenantQuota;

export const TenantParams = z.strictObject({
  tenant: described(TenantName, { description: "The tenant." }),
});
export const KeyQuotaParams = z.strictObject({ id: ApiKeyId });
