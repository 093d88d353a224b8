import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { LIMITS, type PortalScope } from "@eventledger/protocol";
import type { CursorKey } from "../cursor/cursor.ts";
import { createPacker, createUnpacker } from "../cursor/pack.ts";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import { type Tenant, tenantOf } from "../model/names.ts";

/** What a portal token says. */
export type PortalGrant = {
  /** Names the token in the audit stream. */
  readonly id: string;
  /** The key that made it. */
  readonly keyId: string;
  readonly tenant: Tenant;
  /** In milliseconds since 1970. */
  readonly validUntil: number;
  readonly scopes: readonly PortalScope[];
  /** Empty when every key is covered. */
  readonly keyPrefix: string;
  readonly subscriptions: readonly string[];
  /** The uid of each covered stream, by its name. */
  readonly lives: ReadonlyMap<string, string>;
};

export const PORTAL_PREFIX = "elt_";
const VERSION = 1;
const MAC_BYTES = 32;
const SECRET_BYTES = 32;
const SCOPES = ["read", "endpoints"] as const satisfies readonly PortalScope[];

/**
 * Formats and reads portal tokens: `elt_` and base64url of a version, the id of a cursor key, the
 * grant and an HMAC-SHA-256 over all of them. Its secret is derived from the cursor key, so tokens
 * are rotated together with cursors, and neither can be made from the other.
 */
export function createPortalTokens(keys: readonly CursorKey[]) {
  const prepared = keys.map(({ id, secret }) => ({ id, secret: deriveSecret(secret) }));
  const [first] = prepared;
  if (first === undefined) throw new RangeError("At least one cursor key is needed");
  const signer = first;

  /** Throws `invalid-request` for a grant that does not fit into a header. */
  function format(grant: PortalGrant): string {
    const body = Buffer.concat([Buffer.of(VERSION, signer.id), packGrant(grant)]);
    const signed = Buffer.concat([body, macOf(body, signer.secret)]);
    const text = PORTAL_PREFIX + signed.toString("base64url");
    if (text.length > LIMITS.portalTokenCharsMax) throw tooLong();
    return text;
  }

  /** Returns the grant of a token. Throws `unauthorized` with the reason. */
  function read(token: string, nowMs: number): PortalGrant {
    const text = token.slice(PORTAL_PREFIX.length);
    const bytes = Buffer.from(text, "base64url");
    const body = bytes.subarray(0, -MAC_BYTES);
    const isWhole = body.length > 2 && bytes.toString("base64url") === text;
    if (!isWhole || body[0] !== VERSION) throw refused(ALTERED);
    const key = prepared.find(({ id }) => id === body[1]);
    if (key === undefined) throw refused(RETIRED);
    if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), macOf(body, key.secret))) {
      throw refused(ALTERED);
    }
    const grant = unpackGrant(body.subarray(2));
    if (grant.validUntil > nowMs) return grant;
    throw refused(`The portal token expired at ${new Date(grant.validUntil).toISOString()}.`);
  }

  return { format, read };
}

export type PortalTokens = ReturnType<typeof createPortalTokens>;

export const isPortalToken = (text: string): boolean => text.startsWith(PORTAL_PREFIX);

const ALTERED = "This installation did not make this portal token, or it was altered.";
const RETIRED = "The key that signed the portal token is no longer in use.";

/** Returns the problem for a portal token that is not accepted. `why` is a sentence. */
export const refused = (why: string): LedgerError =>
  new LedgerError("unauthorized", { detail: `${why} Ask for a new one.` });

const tooLong = (): LedgerError =>
  invalidRequest(
    "/streams",
    `and the subscriptions make the token longer than ${LIMITS.portalTokenCharsMax} characters`,
  );

const deriveSecret = (secret: Uint8Array): KeyObject =>
  createSecretKey(
    Buffer.from(hkdfSync("sha256", secret, "", "eventledger portal token", SECRET_BYTES)),
  );

const macOf = (body: Uint8Array, secret: KeyObject): Buffer =>
  createHmac("sha256", secret).update(body).digest();

function packGrant(grant: PortalGrant): Uint8Array {
  const out = createPacker();
  for (const text of [grant.id, grant.keyId, grant.tenant]) out.text(text);
  out.number(grant.validUntil);
  out.number(
    SCOPES.reduce((sum, scope, at) => sum + (grant.scopes.includes(scope) ? 2 ** at : 0), 0),
  );
  out.text(grant.keyPrefix);
  out.number(grant.lives.size);
  for (const [name, uid] of grant.lives) {
    out.text(name);
    out.text(uid);
  }
  out.number(grant.subscriptions.length);
  for (const name of grant.subscriptions) out.text(name);
  return out.finish();
}

/** Only bytes that this installation has signed are unpacked. */
function unpackGrant(bytes: Uint8Array): PortalGrant {
  const from = createUnpacker(bytes);
  const [id, keyId, tenant] = [from.text(), from.text(), tenantOf(from.text())];
  const validUntil = from.number();
  const held = from.number();
  const keyPrefix = from.text();
  const lives = new Map(
    Array.from({ length: from.number() }, () => [from.text(), from.text()] as const),
  );
  return {
    id,
    keyId,
    tenant,
    validUntil,
    scopes: SCOPES.filter((_, at) => (held & (2 ** at)) !== 0),
    keyPrefix,
    lives,
    subscriptions: Array.from({ length: from.number() }, () => from.text()),
  };
}
