import { LIMITS } from "@eventledger/protocol";
import type { IncomingEvent, RawJson } from "../model/event.ts";

/** The outcome of a call. */
export type AuditOutcome =
  /** It is about to be carried out. An event with its outcome follows. */
  | "begun"
  | "done"
  /** It changed nothing. */
  | "refused"
  /** It may have changed something: the table did not confirm it. */
  | "unknown"
  /** Its key lacks the right. */
  | "denied";

/** One entry of the audit stream. */
export type AuditEntry = {
  /** The same in all entries of one call. */
  readonly call: string;
  /**
   * `operator` for the admin key, `server` for what runs by itself, otherwise `key:` or `token:`
   * and an id.
   */
  readonly actor: string;
  /** The `operationId` of the call. */
  readonly action: string;
  /** The path of what the call concerns, such as `/streams/orders`. */
  readonly target: string;
  readonly outcome: AuditOutcome;
  /** The `X-Request-Id` of the answer. Absent for what runs by itself. */
  readonly requestId?: string;
  /** The request: the body and the query. */
  readonly request?: object | undefined;
  /** Why the call was refused: the code of the problem. */
  readonly problem?: string | undefined;
  /** Why it happened, for what runs by itself. */
  readonly reason?: string | undefined;
  /** How many denied calls before this one are in no entry. */
  readonly denialsLeftOut?: number | undefined;
};

/** Returns the event of an entry. Its key is the target, so one target's history can be read. */
export function toAuditEvent({ request, ...entry }: AuditEntry, nowMs: number): IncomingEvent {
  const asked = request === undefined ? {} : withinBounds(request);
  const time = new Date(nowMs).toISOString();
  const data = JSON.stringify({ ...entry, ...asked }) as RawJson;
  return { attributes: { key: entry.target, type: entry.action, time }, data };
}

/** Replaces a large request by its size, so that an entry stays small. */
function withinBounds(request: object) {
  const bytes = Buffer.byteLength(JSON.stringify(request));
  return bytes <= LIMITS.auditRequestBytesMax ? { request } : { requestBytes: bytes };
}
