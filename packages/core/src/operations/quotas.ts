import type { Quota } from "@eventledger/protocol";
import type { Caller } from "../access/permission.ts";
import { createBounded } from "../kernel/bounded.ts";
import { ageMs, type Stamp, takeStamp } from "../kernel/clock.ts";
import { invalidRequest } from "../kernel/error.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { defaultTenant, type Tenant } from "../model/names.ts";
import type { Limits } from "../model/quota.ts";
import { hourOf } from "../model/usage.ts";
import { type AppliedLimit, type Cost, quotaExceeded } from "../quota/limiter.ts";
import { TENANT_QUOTA } from "../table/quota.entity.ts";
import { loadUsage } from "../usage/load-usage.ts";
import { storedBy } from "../usage/stored-plan.ts";
import type { Parts } from "./parts.ts";

type Measured = { readonly stamp: Stamp; readonly bytes: Promise<number> };

/** A tenant's stored bytes are measured at most this often in a process. */
const MEASURE_MS = MINUTE_MS;
const TENANTS_MAX = 1_000;
const RETRY_SECONDS = 60;

/** Limits of tenants and keys. */
export function quotaOperations({ table, clock, limiter, keys }: Parts & KeyFlags) {
  const measured = createBounded<Measured>(TENANTS_MAX);

  async function set(tenant: Tenant, of: string, limits: Limits): Promise<void> {
    const stored = await table.quotas.load(tenant, of);
    const version = (stored?.version ?? 0) + 1;
    await table.quotas.set({ tenant, of, limits, buckets: {}, version });
    limiter.forget(tenant, of);
  }

  const limitsOf = async (tenant: Tenant, of: string): Promise<Limits> =>
    (await table.quotas.load(tenant, of))?.limits ?? {};

  /** Returns what a tenant stores, at most a minute old. */
  function storedBytes(tenant: Tenant): Promise<number> {
    const known = measured.get(tenant);
    if (known !== undefined && ageMs(clock, known.stamp) < MEASURE_MS) return known.bytes;
    const bytes = measureStored(tenant);
    bytes.catch(() => measured.delete(tenant));
    measured.set(tenant, { stamp: takeStamp(clock), bytes });
    return bytes;
  }

  async function measureStored(tenant: Tenant): Promise<number> {
    const hour = hourOf(clock.now());
    const span = { from: hour, to: hour + 1, step: 1 };
    const { partitions } = await loadUsage({ table, clock }, tenant, span);
    return partitions.reduce((sum, part) => {
      const { hot, compacted, archived } = storedBy(part)(hour);
      return sum + hot + compacted + archived;
    }, 0);
  }

  return {
    getTenantQuota: (tenant: Tenant): Promise<Quota> => limitsOf(tenant, TENANT_QUOTA),

    /** Replaces the limits of a tenant. Other processes follow within a minute. */
    async setTenantQuota(tenant: Tenant, limits: Limits): Promise<Quota> {
      await set(tenant, TENANT_QUOTA, limits);
      return limits;
    },

    /** Throws `api-key-not-found`. */
    async getKeyQuota(caller: Caller, id: string): Promise<Quota> {
      await keys.getKey(caller, id);
      return limitsOf(caller.tenant, id);
    },

    /**
     * Replaces the limits of a key. Other processes follow within a minute. Throws
     * `api-key-not-found`.
     */
    async setKeyQuota(caller: Caller, id: string, limits: Limits): Promise<Quota> {
      const { scopes } = await keys.getKey(caller, id);
      if (scopes.includes("admin")) {
        throw invalidRequest("", "cannot limit a key with the scope admin, which can make others");
      }
      await set(caller.tenant, id, limits);
      await keys.markLimited(id, Object.keys(limits).length > 0);
      return limits;
    },

    /**
     * Takes the cost of a request from the quotas of its key and tenant. Throws `quota-exceeded`.
     * While the table does not answer, the request passes, unless it `mustKnow`.
     */
    takeQuota: (
      { tenant, keyId, isLimited = false }: Caller,
      cost: Cost,
      how?: { readonly mustKnow: boolean },
    ): Promise<AppliedLimit[]> => limiter.take({ tenant, keyId, isLimited }, cost, how),

    /** Refuses to publish for a tenant that stores too much. Throws `quota-exceeded`. */
    async assertMayStore(tenant: Tenant): Promise<void> {
      if (tenant === defaultTenant) return;
      const { storedBytes: limit } = await limiter.limitsOf(tenant).catch(() => NO_LIMITS);
      if (limit === undefined) return;
      const bytes = await storedBytes(tenant).catch(() => 0);
      if (bytes < limit) return;
      const over = { of: "tenant", quota: "storedBytes", limit } as const;
      throw quotaExceeded({ ...over, retryAfterSeconds: RETRY_SECONDS });
    },
  };
}

const NO_LIMITS: Limits = {};

/** The operations on keys that the operations on quotas need. */
type KeyFlags = {
  readonly keys: {
    getKey(caller: Caller, id: string): Promise<{ readonly scopes: readonly string[] }>;
    markLimited(id: string, isLimited: boolean): Promise<void>;
  };
};
