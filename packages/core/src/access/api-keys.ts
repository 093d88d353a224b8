import {
  type ApiKey,
  type CreateApiKey,
  LIMITS,
  type NewApiKey,
  type RotateApiKey,
  type RotatedApiKey,
} from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { fittingItems } from "../kernel/list-page.ts";
import type { Random } from "../kernel/random.ts";
import { again, retry } from "../kernel/retry.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { Tenant } from "../model/names.ts";
import type { ApiKeyRow, FormerSecret } from "../table/api-key.entity.ts";
import { toDeletion } from "../table/deletion.entity.ts";
import type { Table } from "../table/table.ts";
import { ancestryBelow, planCascade, ROOT } from "./cascade-plan.ts";
import { hashSecret } from "./identify.ts";
import {
  assertEndsWith,
  assertMayRotate,
  assertNotShortened,
  readExpiry,
  toTime,
} from "./key-expiry.ts";
import { formatKey, type KeyKind, newKeyId, newSecret } from "./key-text.ts";
import { type Caller, coversPermissions, excessOf, type Permissions } from "./permission.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly kind: KeyKind;
  /** Called with the id of a key that was changed. */
  readonly forget: (id: string) => void;
};

/**
 * The number of former secrets that are accepted. It is more than one, so a client that lost the
 * answer to a rotation can rotate again.
 */
const FORMER_MAX = 3;
const ROTATE_TRIES = 5;
/** The number of further keys per query, if few of them are visible to the caller. */
const LOOK_ON = 500;

/**
 * Manages API keys for a caller. The caller sees and changes the keys of its tenant that have no
 * rights beyond its own. For the caller, all other keys do not exist.
 */
export function createApiKeys({ table, clock, random, kind, forget }: Deps) {
  /** Creates a key for a tenant. The secret is in the answer and nowhere else. */
  async function issue(
    maker: Caller,
    tenant: Tenant,
    { name, expiresAt, ...asked }: CreateApiKey,
  ): Promise<NewApiKey> {
    const createdAt = clock.now();
    const validUntil =
      expiresAt === undefined
        ? Math.min(createdAt + LIMITS.keyDaysDefault * DAY_MS, maker.validUntil)
        : assertEndsWith(maker, readExpiry(expiresAt, createdAt));
    const by = maker.keyId === ROOT ? undefined : await loadMaker(maker);
    const origin = { createdBy: maker.keyId, ancestors: by === undefined ? [] : ancestryBelow(by) };
    const id = newKeyId(random);
    const secret = newSecret(random);
    const hash = hashSecret(secret);
    const rights = rightsOf(asked);
    const row = { id, tenant, name, ...rights, hash, former: [], createdAt, ...origin, validUntil };
    const done = await table.access.createKey(row, by?.id);
    if (!done && (await table.apiKeys.load(id))?.hash !== hash) {
      if (by !== undefined) await loadMaker(maker);
      throw new Error("Two API keys were given the same id");
    }
    forget(id);
    return { ...toApiKey(row), apiKey: formatKey({ kind, id, secret }) };
  }

  /**
   * Returns the row of the key that makes a new one. Throws `unauthorized` when it was revoked in
   * the meantime.
   */
  async function loadMaker({ keyId }: Caller): Promise<ApiKeyRow> {
    const row = await table.apiKeys.load(keyId);
    if (row !== undefined) return row;
    throw new LedgerError("unauthorized", { detail: "The server does not know this API key." });
  }

  /** Throws `forbidden` when the key would have more rights than its maker. */
  async function create(caller: Caller, config: CreateApiKey): Promise<NewApiKey> {
    const errors = excessOf(caller, config);
    if (errors.length === 0) return issue(caller, caller.tenant, config);
    throw new LedgerError("forbidden", {
      detail:
        "A key can grant no more than it has: leave out scopes, streams and subscriptions it does not cover, and keep to its keyPrefix.",
      errors,
    });
  }

  /**
   * Returns up to `limit` keys after `after`. It reads on until it finds one more or none is left.
   * `next` is the last key of the page, null at the end. It is never the id of a key that is hidden
   * from the caller.
   */
  async function list(caller: Caller, limit: number, after?: string) {
    const found: ApiKeyRow[] = [];
    let from: string | null | undefined = after;
    for (let look = limit + 1; found.length <= limit && from !== null; look = LOOK_ON) {
      const page = await table.apiKeys.list(caller.tenant, look, from);
      found.push(...page.keys.filter((row) => coversPermissions(caller, row)));
      from = page.next;
    }
    const keys = [...fittingItems(found.slice(0, limit).map(toApiKey))];
    return { keys, next: found.length > keys.length ? (keys.at(-1)?.id ?? null) : null };
  }

  /**
   * Returns one key. Throws `api-key-not-found`, also for a key with rights beyond the caller's.
   */
  const get = async (caller: Caller, id: string): Promise<ApiKey> =>
    toApiKey(await load(caller, id));

  /**
   * Revokes a key, here at once, in other processes within 30 s. With `cascade` it also revokes all
   * keys that descend from it. It revokes the key itself first, so that the key makes no further
   * keys. Then it revokes the others until a look finds none. A repeated call continues after a
   * crash, also when the key itself is already gone. Throws `api-key-not-found` when there was no
   * key to revoke and none was revoked within the last day.
   */
  async function revoke(
    caller: Caller,
    id: string,
    { cascade }: { readonly cascade: boolean } = { cascade: false },
  ): Promise<void> {
    const row = await find(caller, id);
    if (row !== undefined) await remove(row);
    let found = row !== undefined || (await wasRevoked(caller, id));
    const ended = [id];
    for (let more = cascade; more; ) {
      const made = planCascade(await loadAll(caller), ended);
      for (const key of made) await remove(key);
      ended.push(...made.map((key) => key.id));
      more = made.length > 0;
      found ||= more;
    }
    if (!found) throw keyNotFound();
  }

  /** Returns whether a key that is visible to the caller was revoked within the last day. */
  async function wasRevoked(caller: Caller, id: string): Promise<boolean> {
    const reach = await table.deletions.load(`KEY#${caller.tenant}`, id);
    return reach !== undefined && coversPermissions(caller, reach);
  }

  async function remove(row: ApiKeyRow): Promise<void> {
    const { tenant, id, scopes, streams, subscriptions, keyPrefix } = row;
    const reach = {
      scopes,
      streams,
      ...(subscriptions === undefined ? {} : { subscriptions }),
      ...(keyPrefix === undefined ? {} : { keyPrefix }),
    };
    const deletion = toDeletion({ of: `KEY#${tenant}`, name: id, reach }, clock.now());
    if (row.limited !== undefined) await table.quotas.remove(tenant, id);
    await table.access.removeKey(row, deletion);
    forget(row.id);
  }

  /** Returns all keys that are visible to the caller. */
  async function loadAll(caller: Caller): Promise<ApiKeyRow[]> {
    const all: ApiKeyRow[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await table.apiKeys.list(caller.tenant, LOOK_ON, after);
      all.push(...page.keys.filter((row) => coversPermissions(caller, row)));
      after = page.next;
    }
    return all;
  }

  /**
   * Gives a key a new secret. The former one stays valid for the overlap. Throws
   * `api-key-not-found`, `forbidden` when a key other than the caller's own outlives it, and
   * `invalid-request` for an expiry after the caller's, or before the other key's own.
   */
  async function rotate(
    caller: Caller,
    id: string,
    { overlapSeconds, expiresAt }: RotateApiKey,
  ): Promise<RotatedApiKey> {
    const secret = newSecret(random);
    const hash = hashSecret(secret);
    return retry<RotatedApiKey>({ tries: ROTATE_TRIES, giveUp: rotatedByOthers }, async () => {
      const row = await load(caller, id);
      const now = clock.now();
      const until = now + overlapSeconds * 1_000;
      if (id !== caller.keyId) assertMayRotate(caller, row);
      const asked = expiresAt === undefined ? row.validUntil : readExpiry(expiresAt, now);
      if (id !== caller.keyId) assertNotShortened(row, asked);
      const validUntil = assertEndsWith(caller, asked);
      const former = [{ hash: row.hash, validUntil: until }, ...stillValid(row, now, until)];
      const changed = { hash, former: former.slice(0, FORMER_MAX), rotatedAt: now, validUntil };
      if (!(await table.apiKeys.rotate(id, row.hash, changed))) return again();
      forget(id);
      return {
        ...toApiKey({ ...row, ...changed }),
        apiKey: formatKey({ kind, id, secret }),
        formerValidUntil: toTime(until),
      };
    });
  }

  async function load(caller: Caller, id: string): Promise<ApiKeyRow> {
    const row = await find(caller, id);
    if (row === undefined) throw keyNotFound();
    return row;
  }

  async function find(caller: Caller, id: string): Promise<ApiKeyRow | undefined> {
    const row = await table.apiKeys.load(id);
    return row?.tenant === caller.tenant && coversPermissions(caller, row) ? row : undefined;
  }

  return { issue, create, list, get, revoke, rotate };
}

function rotatedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Concurrent requests keep rotating this key. Send the request again.",
    retryAfterSeconds: 1,
  });
}

const keyNotFound = (): LedgerError =>
  new LedgerError("api-key-not-found", {
    detail: "No API key with that id exists. GET /keys lists those that do.",
  });

/**
 * Returns the former secrets that are still accepted, each until the end of the latest overlap at
 * most.
 */
const stillValid = ({ former }: ApiKeyRow, now: number, until: number): FormerSecret[] =>
  former
    .filter(({ validUntil }) => validUntil > now)
    .map(({ hash, validUntil }) => ({ hash, validUntil: Math.min(validUntil, until) }));

/** Returns the rights without undefined members. Neither the table nor JSON keeps those. */
const rightsOf = ({ scopes, streams, subscriptions, keyPrefix }: Permissions) => ({
  scopes: [...scopes],
  streams: [...streams],
  ...(subscriptions === undefined ? {} : { subscriptions: [...subscriptions] }),
  ...(keyPrefix === undefined ? {} : { keyPrefix }),
});

const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  ...rightsOf(row),
  createdAt: toTime(row.createdAt),
  createdBy: row.createdBy,
  expiresAt: toTime(row.validUntil),
  lastUsedAt: row.usedAt === undefined ? null : toTime(row.usedAt),
  rotatedAt: row.rotatedAt === undefined ? null : toTime(row.rotatedAt),
});
