export { createAdminKey } from "./access/admin-key.ts";
export type { CursorKey } from "./cursor/cursor.ts";
export { systemClock } from "./kernel/clock.ts";
export { invalidRequest, LedgerError } from "./kernel/error.ts";
export { defaultTenant, type Tenant } from "./kernel/names.ts";
export { systemRandom } from "./kernel/random.ts";
export { createLedger, type Ledger, type LedgerDeps } from "./ledger.ts";
export { type IncomingEvent, isTombstone, type RawJson, type StoredEvent } from "./log/event.ts";
