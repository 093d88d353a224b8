/** The SDK. The published package contains it; see `tools/pack`. */
export * from "../../sdk/src/admin/index.ts";
export {
  EventLedger,
  type LedgerEvent,
  LedgerProblem,
  LedgerUnreachable,
  type NewEvent,
  type RawJson,
  type RequestReport,
  type SeekReceipt,
  type Stream,
  type View,
  type ViewChange,
  type ViewStore,
} from "../../sdk/src/index.ts";
export { membersOf, rawData, rawJson } from "../../sdk/src/raw.ts";
export { sqlite } from "../../sdk/src/stores/sqlite.ts";
