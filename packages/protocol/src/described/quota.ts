import { KeyQuota, TenantQuota } from "../quota.ts";
import { described } from "../text.ts";

export const KeyQuotaView = described(KeyQuota, { id: "KeyQuotaView", description: "Limits." });
export const TenantQuotaView = described(TenantQuota, {
  id: "TenantQuotaView",
  description: "Limits.",
});
