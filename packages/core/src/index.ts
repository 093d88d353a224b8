export { createAdminKey } from "./access/admin-key.ts";
export type { Identity } from "./access/identify.ts";
export type { KeyKind } from "./access/key-text.ts";
export {
  type Caller,
  coversKey,
  coversLife,
  coversStream,
  coversSubscription,
  isBound,
  isRoot,
  type PortalRights,
  rootCaller,
} from "./access/permission.ts";
export { isPortalToken } from "./access/portal-token.ts";
export type { AuditEntry } from "./audit/audit-event.ts";
export type { Pace } from "./compaction/pace.ts";
export type { CursorKey } from "./cursor/cursor.ts";
export { type Clock, systemClock } from "./kernel/clock.ts";
export {
  invalidRequest,
  LedgerError,
  streamNotFound,
  subscriptionNotFound,
} from "./kernel/error.ts";
export { systemRandom } from "./kernel/random.ts";
export { createLedger, type Ledger } from "./ledger.ts";
export { type IncomingEvent, isTombstone, type RawJson, type StoredEvent } from "./model/event.ts";
export { printEvent } from "./model/event-text.ts";
export { defaultTenant, type Tenant, tenantOf } from "./model/names.ts";
export { connectS3, type PrepareS3 } from "./objects/connect-s3.ts";
export type { Objects } from "./objects/objects.ts";
export { createS3Objects } from "./objects/s3-objects.ts";
export type { EventsPage } from "./operations/browsing.ts";
export type { LedgerDeps } from "./operations/parts.ts";
export { lifeEnded } from "./operations/portal.ts";
export type { Delivery, PushPort, Seal } from "./push/endpoint.ts";
export type { PushAnswer } from "./push/push-plan.ts";
export { STORE_FULL } from "./table/aws-error.ts";
export type { PushId } from "./table/push.entity.ts";
