import { LIMITS } from "@eventledger/protocol";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { ApiKeyRow } from "../table/api-key.entity.ts";
import type { Caller } from "./permission.ts";

/** Returns the requested expiry, in Unix milliseconds. Throws when it is past or too late. */
export function readExpiry(expiresAt: string, now: number): number {
  const validUntil = Date.parse(expiresAt);
  if (validUntil > now && validUntil <= now + LIMITS.keyDaysMax * DAY_MS) return validUntil;
  throw invalidRequest(
    "/expiresAt",
    `must be in the future, and at most ${LIMITS.keyDaysMax} days from now`,
  );
}

/** Returns the expiry. Throws when the caller's own key expires before it. */
export function assertEndsWith(caller: Caller, validUntil: number): number {
  if (validUntil <= caller.validUntil) return validUntil;
  const latest = toTime(caller.validUntil);
  throw invalidRequest(
    "/expiresAt",
    `must be ${latest} or earlier, because your own key expires then`,
  );
}

/**
 * Refuses to rotate a key that expires later than the caller's key. Otherwise a caller could keep
 * access beyond its own expiry with the new secret.
 */
export function assertMayRotate(caller: Caller, { validUntil }: ApiKeyRow): void {
  if (validUntil <= caller.validUntil) return;
  throw new LedgerError("forbidden", {
    detail: `That key expires ${toTime(validUntil)}, later than yours. Rotate it with a key that lives as long, or create a new key and revoke the old one.`,
  });
}

/**
 * Refuses a rotation that makes a key of other clients expire earlier, because these clients do not
 * know of it.
 */
export function assertNotShortened({ validUntil }: ApiKeyRow, asked: number): void {
  if (asked >= validUntil) return;
  throw invalidRequest(
    "/expiresAt",
    `must be ${toTime(validUntil)} or later, because a rotation must not make another key expire earlier`,
  );
}

/** Formats Unix milliseconds. */
export const toTime = (ms: number): string => new Date(ms).toISOString();
