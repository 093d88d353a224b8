import { createBounded } from "../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { defaultTenant, type Tenant } from "../model/names.ts";
import { type Limits, planLease, RATES, type Rate, type Want } from "../model/quota.ts";
import { type QuotaRow, TENANT_QUOTA } from "../table/quota.entity.ts";
import type { Table } from "../table/table.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/**
 * The tenant and the key whose quotas apply. `isLimited` tells whether the key has a quota of its
 * own.
 */
export type Limited = {
  readonly tenant: Tenant;
  readonly keyId: string;
  readonly isLimited: boolean;
};

/** What a request uses, by rate. */
export type Cost = Readonly<Partial<Record<Rate, number>>>;

/** A limit that applies to a request, and how much of it this process has left in this second. */
export type AppliedLimit = {
  readonly of: "key" | "tenant";
  readonly rate: Rate;
  readonly limit: number;
  readonly left: number;
};

type Lease = { left: number; until: number };

/** The state of one quota row in this process. */
type Entry = {
  readonly tenant: Tenant;
  readonly of: string;
  row: QuotaRow | undefined;
  readAt: Stamp | undefined;
  leases: Partial<Record<Rate, Lease>>;
  deniedUntil: Partial<Record<Rate, number>>;
  /** The amounts that requests have asked for in the present second, and in the one before. */
  used: Partial<Record<Rate, { second: number; now: number; before: number }>>;
  /** Ends when the previous request has its tokens. */
  turn: Promise<unknown>;
  blindUntil: number;
};

/** How long limits are remembered. A change has effect everywhere within this time. */
const MEMORY_MS = MINUTE_MS;
/** Tokens that a process does not use are lost after this time. */
const LEASE_MS = 2_000;
/** After a failure of the table, requests pass for this long without another try. */
const BLIND_MS = 1_000;
const TRIES = 5;
const ENTRIES_MAX = 10_000;

/**
 * Holds requests to the limits of their key and tenant. A process takes tokens for about a second
 * in advance, with one conditional update, and passes requests from them without any request to the
 * table. Requests pass while the table does not answer, unless they `mustKnow`.
 */
export function createLimiter({ table, clock }: Deps) {
  const entries = createBounded<Entry>(ENTRIES_MAX);

  function entryOf(tenant: Tenant, of: string): Entry {
    const name = `${tenant} ${of}`;
    const known = entries.get(name);
    if (known !== undefined) return known;
    const made: Entry = {
      ...{ tenant, of, row: undefined, readAt: undefined, leases: {}, deniedUntil: {}, used: {} },
      ...{ turn: Promise.resolve(), blindUntil: 0 },
    };
    entries.set(name, made);
    return made;
  }

  /** Returns the limits of an entry, read once a minute. */
  async function limitsOf(entry: Entry): Promise<Limits> {
    const isOld = entry.readAt === undefined || ageMs(clock, entry.readAt) >= MEMORY_MS;
    if (isOld) {
      const stamp = takeStamp(clock);
      entry.row = await table.quotas.load(entry.tenant, entry.of);
      entry.readAt = stamp;
    }
    return entry.row?.limits ?? {};
  }

  /**
   * Takes the cost of a request from the quotas of its tenant and key. Returns the limits that
   * apply to it. Throws `quota-exceeded`.
   */
  async function take(
    { tenant, keyId, isLimited }: Limited,
    cost: Cost,
    { mustKnow } = { mustKnow: false },
  ): Promise<AppliedLimit[]> {
    const applied: AppliedLimit[] = [];
    // The default tenant has no quota as a whole, so an installation without tenants reads nothing.
    if (tenant !== defaultTenant) {
      applied.push(...(await takeFrom(entryOf(tenant, TENANT_QUOTA), cost, mustKnow)));
    }
    if (isLimited) applied.push(...(await takeFrom(entryOf(tenant, keyId), cost, mustKnow)));
    return applied;
  }

  async function takeFrom(entry: Entry, cost: Cost, mustKnow: boolean): Promise<AppliedLimit[]> {
    if (clock.now() < entry.blindUntil && !mustKnow) return [];
    try {
      const limits = await limitsOf(entry);
      const rates = RATES.filter((rate) => limits[rate] !== undefined && (cost[rate] ?? 0) > 0);
      if (rates.length === 0) return [];
      for (const rate of rates) noteUsed(entry, rate, cost[rate] ?? 0);
      if (!spend(entry, rates, cost)) {
        const mine = entry.turn.catch(() => {}).then(() => lease(entry, rates, cost));
        entry.turn = mine.catch(() => {});
        await mine;
      }
      return rates.map((rate) => ({
        of: entry.of === TENANT_QUOTA ? "tenant" : "key",
        rate,
        limit: limits[rate] ?? 0,
        left: Math.max(0, Math.floor(entry.leases[rate]?.left ?? 0)),
      }));
    } catch (error) {
      if (error instanceof LedgerError && error.code === "quota-exceeded") throw error;
      if (mustKnow) throw unreachable(error);
      entry.blindUntil = clock.now() + BLIND_MS;
      return [];
    }
  }

  function noteUsed({ used }: Entry, rate: Rate, amount: number): void {
    const second = Math.floor(clock.now() / 1_000);
    const known = used[rate];
    if (known?.second === second) known.now += amount;
    else {
      const before = known?.second === second - 1 ? known.now : 0;
      used[rate] = { second, now: amount, before };
    }
  }

  /**
   * Pays from the tokens that this process has. If they do not suffice, returns false and takes
   * nothing.
   */
  function spend(entry: Entry, rates: readonly Rate[], cost: Cost): boolean {
    const now = clock.now();
    const paid = rates.every((rate) => {
      const held = entry.leases[rate];
      return held !== undefined && held.until > now && held.left >= (cost[rate] ?? 0);
    });
    if (!paid) return false;
    for (const rate of rates) {
      const held = entry.leases[rate];
      if (held !== undefined) held.left -= cost[rate] ?? 0;
    }
    return true;
  }

  async function lease(entry: Entry, rates: readonly Rate[], cost: Cost): Promise<void> {
    if (spend(entry, rates, cost)) return;
    for (const rate of rates) {
      const until = entry.deniedUntil[rate] ?? 0;
      if (clock.now() < until) throw exceeded(entry, rate, until);
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const { row } = entry;
      if (row === undefined) return;
      const now = clock.now();
      const wants = rates.map((rate) => wantOf(entry, rate, cost[rate] ?? 0, now));
      const plan = planLease(row.limits, row.buckets, wants, now);
      if (plan.kind === "denied") {
        await refuse(entry, row, plan);
        continue;
      }
      const { taken, row: after } = await table.quotas.take(row, plan.buckets);
      entry.row = after;
      if (taken) return hold(entry, { wants, granted: plan.granted, nowMs: now });
    }
    throw new Error("Other servers keep changing this quota");
  }

  /**
   * Throws `quota-exceeded`, unless the row has changed since it was read. Only the present state
   * can refuse a request.
   */
  async function refuse(
    entry: Entry,
    row: QuotaRow,
    { rate, until }: { readonly rate: Rate; readonly until: number },
  ): Promise<void> {
    const present = await table.quotas.load(entry.tenant, entry.of);
    entry.row = present;
    if (present?.version !== row.version) return;
    entry.deniedUntil[rate] = until;
    throw exceeded(entry, rate, until);
  }

  /** Keeps the tokens that are left after the request was paid. */
  function hold({ leases }: Entry, { wants, granted, nowMs }: Taken): void {
    for (const { rate, amount } of wants) {
      const held = leases[rate];
      const kept = held !== undefined && held.until > nowMs ? held.left : 0;
      leases[rate] = { left: kept + (granted[rate] ?? 0) - amount, until: nowMs + LEASE_MS };
    }
  }

  /**
   * Returns about the amount that this process uses in a second. The tokens that it has are used
   * first.
   */
  function wantOf({ used }: Entry, rate: Rate, amount: number, nowMs: number): Want {
    const seen = used[rate];
    const isRecent = seen !== undefined && seen.second >= Math.floor(nowMs / 1_000) - 1;
    const ahead = isRecent ? Math.max(seen.before, seen.now) : 0;
    return { rate, amount, ahead };
  }

  function exceeded({ row, of }: Entry, rate: Rate, until: number): LedgerError {
    const seconds = Math.max(1, Math.ceil((until - clock.now()) / 1_000));
    const limit = row?.limits[rate] ?? 0;
    const whose = of === TENANT_QUOTA ? "tenant" : "key";
    return quotaExceeded({ of: whose, quota: rate, limit, until, retryAfterSeconds: seconds });
  }

  /** Discards what is remembered of a quota that was changed here. */
  const forget = (tenant: Tenant, of: string): void => void entries.delete(`${tenant} ${of}`);

  return {
    take,
    forget,
    /** Returns the limits of a tenant, at most a minute old. Reads the table. */
    limitsOf: (tenant: Tenant): Promise<Limits> => limitsOf(entryOf(tenant, TENANT_QUOTA)),
  };
}

type Taken = {
  readonly wants: readonly Want[];
  readonly granted: Partial<Record<Rate, number>>;
  readonly nowMs: number;
};

const unreachable = (cause: unknown): LedgerError =>
  new LedgerError("store-unavailable", {
    detail: "The quota of this request cannot be read. Nothing was changed; try again shortly.",
    retryAfterSeconds: 1,
    cause,
  });

type Exceeded = {
  readonly of: "tenant" | "key";
  readonly quota: keyof Limits;
  readonly limit: number;
  readonly until?: number;
  readonly retryAfterSeconds: number;
};

/** Returns the problem for a request that is over a quota. */
export const quotaExceeded = ({ of, quota, limit, until, retryAfterSeconds }: Exceeded) =>
  new LedgerError("quota-exceeded", {
    detail: `The ${of} has used up its quota: ${quota} is ${limit}. Nothing was changed.`,
    retryAfterSeconds,
    facts: {
      quota,
      of,
      limit,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    },
  });
