import {
  type ApiKey,
  type CreateApiKey,
  LIMITS,
  type NewApiKey,
  type RotateApiKey,
  type RotatedApiKey,
} from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import type { Tenant } from "../kernel/names.ts";
import type { Random } from "../kernel/random.ts";
import type { ApiKeyRow, FormerSecret } from "../table/api-key.entity.ts";
import type { Table } from "../table/table.ts";
import { hashSecret } from "./identify.ts";
import { formatKey, type KeyKind, newKeyId, newSecret } from "./key-text.ts";
import { type Caller, coversPermissions } from "./permission.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly kind: KeyKind;
  /** Called with the id of a key that was changed. */
  readonly forget: (id: string) => void;
};

const DAY_MS = 86_400_000;
/** Of former secrets that are still accepted: more than one, so that a lost answer locks nobody out. */
const FORMER_MAX = 3;
const ROTATE_TRIES = 5;
/** Keys that are looked at once more, where the caller may know of few. */
const LOOK_ON = 500;

/**
 * API keys, managed by a caller: who may manage keys sees and changes those of its tenant that can do
 * no more than itself; all others do not exist for it.
 */
export function createApiKeys({ table, clock, random, kind, forget }: Deps) {
  /** Makes a key for a tenant. The secret is in the answer and nowhere else. */
  async function issue(
    maker: Caller,
    tenant: Tenant,
    { name, scopes, streams, expiresAt }: CreateApiKey,
  ): Promise<NewApiKey> {
    const createdAt = clock.now();
    const validUntil =
      expiresAt === undefined
        ? Math.min(createdAt + LIMITS.keyDaysDefault * DAY_MS, maker.validUntil)
        : assertEndsWith(maker, readExpiry(expiresAt, createdAt));
    const createdBy = maker.keyId;
    const id = newKeyId(random);
    const secret = newSecret(random);
    const hash = hashSecret(secret);
    const rights = { scopes: [...scopes], streams: [...streams] };
    const row = { id, tenant, name, ...rights, hash, former: [], createdAt, createdBy, validUntil };
    const done = await table.access.createKey(row);
    if (!done && (await table.apiKeys.load(id))?.hash !== hash) {
      throw new Error("Two API keys were given the same id");
    }
    forget(id);
    return { ...toApiKey(row), apiKey: formatKey({ kind, id, secret }) };
  }

  /** Throws `forbidden` when the key would be allowed more than its maker. */
  async function create(caller: Caller, config: CreateApiKey): Promise<NewApiKey> {
    if (coversPermissions(caller, config)) return issue(caller, caller.tenant, config);
    throw new LedgerError("forbidden", {
      detail:
        "A key can grant no more than it has: leave out scopes and streams it does not cover.",
    });
  }

  /**
   * Up to `limit` keys behind `after`. Looks on until there is one more or no more: `next` is the last
   * of the page, never the id of a key that the caller must not know of, and null at the end.
   */
  async function list(caller: Caller, limit: number, after?: string) {
    const found: ApiKeyRow[] = [];
    let from: string | null | undefined = after;
    for (let look = limit + 1; found.length <= limit && from !== null; look = LOOK_ON) {
      const page = await table.apiKeys.list(caller.tenant, look, from);
      found.push(...page.keys.filter((row) => coversPermissions(caller, row)));
      from = page.next;
    }
    const keys = found.slice(0, limit).map(toApiKey);
    return { keys, next: found.length > limit ? (keys.at(-1)?.id ?? null) : null };
  }

  /** Ends a key: here at once, in other processes within 30 s. Throws `api-key-not-found`. */
  async function revoke(caller: Caller, id: string): Promise<void> {
    await table.access.removeKey(await load(caller, id));
    forget(id);
  }

  /**
   * Gives a key another secret. The former one stays valid for the overlap. Throws
   * `api-key-not-found`, and `invalid-request` when the key would outlive the caller's: whoever holds
   * the new secret could otherwise go on for as long as they like.
   */
  async function rotate(
    caller: Caller,
    id: string,
    { overlapSeconds, expiresAt }: RotateApiKey,
  ): Promise<RotatedApiKey> {
    const secret = newSecret(random);
    const hash = hashSecret(secret);
    for (let attempt = 0; attempt < ROTATE_TRIES; attempt++) {
      const row = await load(caller, id);
      const now = clock.now();
      const until = now + overlapSeconds * 1_000;
      const asked = expiresAt === undefined ? row.validUntil : readExpiry(expiresAt, now);
      const validUntil = assertEndsWith(caller, asked);
      const former = [{ hash: row.hash, validUntil: until }, ...stillValid(row, now, until)];
      const changed = { hash, former: former.slice(0, FORMER_MAX), rotatedAt: now, validUntil };
      if (!(await table.apiKeys.rotate(id, row.hash, changed))) continue;
      forget(id);
      return {
        ...toApiKey({ ...row, ...changed }),
        apiKey: formatKey({ kind, id, secret }),
        formerValidUntil: toTime(until),
      };
    }
    throw new LedgerError("outcome-unknown", {
      detail: "Others rotate this key all the time. Try again.",
      retryAfterSeconds: 1,
    });
  }

  async function load(caller: Caller, id: string): Promise<ApiKeyRow> {
    const row = await table.apiKeys.load(id);
    if (row?.tenant === caller.tenant && coversPermissions(caller, row)) return row;
    throw new LedgerError("api-key-not-found", {
      detail: "No API key with that id exists. GET /keys lists those that do.",
    });
  }

  return { issue, create, list, revoke, rotate };
}

/** An overlap ends for all former secrets at the latest when it ends for the last one. */
const stillValid = ({ former }: ApiKeyRow, now: number, until: number): FormerSecret[] =>
  former
    .filter(({ validUntil }) => validUntil > now)
    .map(({ hash, validUntil }) => ({ hash, validUntil: Math.min(validUntil, until) }));

function readExpiry(expiresAt: string, now: number): number {
  const validUntil = Date.parse(expiresAt);
  if (validUntil > now && validUntil <= now + LIMITS.keyDaysMax * DAY_MS) return validUntil;
  throw invalidRequest(
    "/expiresAt",
    `must be in the future, in ${LIMITS.keyDaysMax} days at the latest`,
  );
}

/** The moment itself, unless the caller's own key ends before it. */
function assertEndsWith(caller: Caller, validUntil: number): number {
  if (validUntil <= caller.validUntil) return validUntil;
  const latest = toTime(caller.validUntil);
  throw invalidRequest("/expiresAt", `must be ${latest} at the latest: then your own key ends`);
}

const toTime = (ms: number): string => new Date(ms).toISOString();

const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  scopes: [...row.scopes],
  streams: [...row.streams],
  createdAt: toTime(row.createdAt),
  createdBy: row.createdBy,
  expiresAt: toTime(row.validUntil),
  lastUsedAt: row.usedAt === undefined ? null : toTime(row.usedAt),
  rotatedAt: row.rotatedAt === undefined ? null : toTime(row.rotatedAt),
});
