import { hash, timingSafeEqual } from "node:crypto";
import { createBounded } from "../kernel/bounded.ts";
import type { Clock } from "../kernel/clock.ts";
import { HOUR_MS } from "../kernel/time.ts";
import type { ApiKeyRow } from "../table/api-key.entity.ts";
import type { Table } from "../table/table.ts";
import { ROOT } from "./cascade-plan.ts";
import type { createKeyMemory } from "./key-memory.ts";
import { type KeyKind, parseKey } from "./key-text.ts";
import type { Caller } from "./permission.ts";
import { isPortalToken, type PortalTokens, refused } from "./portal-token.ts";

export type Identity = {
  readonly caller: Caller;
  /** Settles once this use of the key is recorded, if it must be. Never rejects. */
  readonly noted: Promise<void>;
};

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly kind: KeyKind;
  readonly memory: ReturnType<typeof createKeyMemory>;
  readonly portalTokens: PortalTokens;
};

const NOTE_EVERY_MS = HOUR_MS;

/** Returns the stored form of a secret. */
export const hashSecret = (secret: string): string => hash("sha256", secret, "base64url");

/**
 * Finds the caller that an API key or a portal token belongs to. Returns undefined for a missing
 * key, a wrong checksum, a key of a different installation, an unknown id, a wrong secret, an
 * expired key and a revoked one. The first three cost no read of the table. Throws `unauthorized`
 * with the reason for a portal token that is not accepted.
 */
export function createIdentify({ table, clock, kind, memory, portalTokens }: Deps) {
  const noteTried = createBounded<number>(TRIED_MAX);

  return async (apiKey: string): Promise<Identity | undefined> => {
    if (isPortalToken(apiKey)) return identifyPortal(apiKey);
    const key = parseKey(apiKey);
    if (key?.kind !== kind) return undefined;
    const row = await memory.recall(key.id);
    const now = clock.now();
    const genuine = isGenuine(row, key.secret, now);
    if (row === undefined || !genuine || row.validUntil <= now) return undefined;
    const { tenant, scopes, streams, subscriptions, keyPrefix, id, validUntil } = row;
    const rights = { scopes, streams, subscriptions, keyPrefix };
    const isLimited = row.limited === true;
    const caller = { tenant, ...rights, keyId: id, validUntil, isLimited };
    return { caller, noted: noteUse(row, now) };
  };

  /**
   * Finds the caller of a portal token. A token ends with the key that made it, whose row is
   * remembered as for a request with that key.
   */
  async function identifyPortal(token: string): Promise<Identity> {
    const grant = portalTokens.read(token, clock.now());
    const { id, keyId, tenant, validUntil, scopes, keyPrefix, subscriptions, lives } = grant;
    const maker = keyId === ROOT ? undefined : await memory.recall(keyId);
    const isMade = keyId === ROOT || (maker?.tenant === tenant && maker.validUntil > clock.now());
    if (!isMade) throw refused("The API key that made the portal token is revoked or expired.");
    const caller: Caller = {
      tenant,
      keyId,
      validUntil,
      scopes: [],
      streams: [...lives.keys()],
      subscriptions,
      keyPrefix: keyPrefix === "" ? undefined : keyPrefix,
      isLimited: maker?.limited === true,
      portal: { id, scopes, lives },
    };
    return { caller, noted: Promise.resolve() };
  }

  /**
   * Records a use at most once an hour. A process makes one attempt in that time. A failure to
   * record has no other effect.
   */
  async function noteUse({ id, usedAt = 0 }: ApiKeyRow, now: number): Promise<void> {
    const noted = Math.max(usedAt, noteTried.get(id) ?? 0);
    if (now - noted < NOTE_EVERY_MS) return;
    noteTried.set(id, now);
    await table.apiKeys.noteUse(id, now, now - NOTE_EVERY_MS).catch(() => {});
  }
}

const TRIED_MAX = 10_000;

/**
 * Compares the secret with the same number of hashes whether the key exists or not, so that the
 * time does not reveal it.
 */
function isGenuine(row: ApiKeyRow | undefined, secret: string, now: number): boolean {
  const presented = hashSecret(secret);
  const isCurrent = isSame(presented, row?.hash ?? NOBODYS);
  const isFormer = (row?.former ?? []).map(
    ({ hash, validUntil }) => isSame(presented, hash) && validUntil > now,
  );
  return row !== undefined && (isCurrent || isFormer.includes(true));
}

const NOBODYS = hashSecret("");

const isSame = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));
