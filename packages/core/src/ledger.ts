import { createAccess } from "./access/access.ts";
import { archiveOperations } from "./operations/archiving.ts";
import { browseOperations } from "./operations/browsing.ts";
import { compactedOperations } from "./operations/compacted.ts";
import { erasureOperations } from "./operations/erasing.ts";
import { exportOperations } from "./operations/exporting.ts";
import { maintenanceOperations } from "./operations/maintenance.ts";
import { parkingOperations } from "./operations/parking.ts";
import { createParts, type LedgerDeps } from "./operations/parts.ts";
import { pollOperations } from "./operations/polling.ts";
import { portalOperations } from "./operations/portal.ts";
import { publishOperations } from "./operations/publishing.ts";
import { pushRunOperations } from "./operations/push-runs.ts";
import { pushOperations } from "./operations/pushing.ts";
import { quotaOperations } from "./operations/quotas.ts";
import { schemaOperations } from "./operations/schemas.ts";
import { streamOperations } from "./operations/streams.ts";
import { subscriptionOperations } from "./operations/subscriptions.ts";
import { usageOperations } from "./operations/using.ts";

/**
 * All operations of EventLedger, over one table. Every operation has the tenant as its first
 * parameter, and throws `LedgerError` for errors with a name in the protocol.
 */
export function createLedger(deps: LedgerDeps) {
  const parts = createParts(deps);
  const access = createAccess({ ...parts, kind: deps.keyKind ?? "test" });
  return {
    access,
    /** The audit streams of all tenants. */
    audit: parts.audit,
    ...streamOperations(parts),
    ...schemaOperations(parts),
    ...publishOperations(parts),
    ...browseOperations(parts),
    ...compactedOperations(parts),
    ...subscriptionOperations(parts),
    ...pollOperations(parts),
    ...parkingOperations(parts),
    ...pushOperations(parts),
    ...pushRunOperations(parts),
    ...portalOperations(parts),
    ...maintenanceOperations(parts),
    ...archiveOperations(parts),
    ...exportOperations(parts),
    ...erasureOperations(parts),
    ...usageOperations(parts),
    ...quotaOperations({ ...parts, keys: access }),
  };
}

export type Ledger = ReturnType<typeof createLedger>;
