import type {
  ApiKey,
  CreateApiKey,
  CreateTenant,
  NewApiKey,
  NewTenant,
  RotateApiKey,
  RotatedApiKey,
} from "@eventledger/protocol";
import type { Cursors } from "../cursor/cursor.ts";
import { formatListCursor, type ListOf } from "../cursor/list-cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { type Tenant, tenantOf } from "../model/names.ts";
import type { Table } from "../table/table.ts";
import { createApiKeys } from "./api-keys.ts";
import { createIdentify } from "./identify.ts";
import { createKeyMemory } from "./key-memory.ts";
import type { KeyKind } from "./key-text.ts";
import { type Caller, everything } from "./permission.ts";
import type { PortalTokens } from "./portal-token.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly kind: KeyKind;
  readonly cursors: Cursors;
  readonly portalTokens: PortalTokens;
};

type ListPage = { readonly limit: number; readonly cursor?: string | undefined };

/** Authenticates callers and determines their rights. */
export function createAccess({ table, clock, random, kind, cursors, portalTokens }: Deps) {
  const memory = createKeyMemory(clock, (id) => table.apiKeys.load(id));
  const keys = createApiKeys({ table, clock, random, kind, forget: memory.forget });
  const readCursor = (list: ListOf, cursor: string | undefined): string | undefined =>
    cursor === undefined ? undefined : cursors.parseListed(list, cursor);

  return {
    identify: createIdentify({ table, clock, kind, memory, portalTokens }),

    createKey: (caller: Caller, config: CreateApiKey): Promise<NewApiKey> =>
      keys.create(caller, config),

    /** Lists the keys that have no rights beyond the caller's. */
    async listKeys(caller: Caller, { limit, cursor }: ListPage) {
      const page = await keys.list(caller, limit, readCursor("keys", cursor));
      return { keys: page.keys, cursor: toCursor("keys", page.next) };
    },

    getKey: (caller: Caller, id: string): Promise<ApiKey> => keys.get(caller, id),

    revokeKey: (caller: Caller, id: string, how?: { cascade: boolean }): Promise<void> =>
      keys.revoke(caller, id, how),

    /** Records whether a key has a quota. Other processes follow within 20 s. */
    async markLimited(id: string, isLimited: boolean): Promise<void> {
      await table.apiKeys.markLimited(id, isLimited);
      memory.forget(id);
    },

    rotateKey: (caller: Caller, id: string, how: RotateApiKey): Promise<RotatedApiKey> =>
      keys.rotate(caller, id, how),

    /**
     * Creates a tenant, or finds it, and gives it a new key with all rights in it. Repeating the
     * call restores access to a tenant whose keys are lost.
     */
    async createTenant(
      caller: Caller,
      { name }: CreateTenant,
    ): Promise<{ tenant: NewTenant; created: boolean }> {
      const tenant = tenantOf(name);
      const made = await table.tenants.create({ name: tenant, createdAt: clock.now() });
      const key = {
        name: "admin",
        scopes: [...everything.scopes],
        streams: [...everything.streams],
      };
      const adminKey = await keys.issue(caller, tenant, key);
      return { tenant: { ...toTenant(made.tenant), adminKey }, created: made.created };
    },

    async listTenants({ limit, cursor }: ListPage) {
      const { tenants, next } = await table.tenants.list(limit, readCursor("tenants", cursor));
      return { tenants: tenants.map(toTenant), cursor: toCursor("tenants", next) };
    },
  };
}

const toCursor = (list: ListOf, next: string | null): string | null =>
  next === null ? null : formatListCursor(list, next);

const toTenant = ({ name, createdAt }: { name: Tenant; createdAt: number }) => ({
  name,
  createdAt: new Date(createdAt).toISOString(),
});
