import { createBounded } from "../../kernel/bounded.ts";
import type { Clock } from "../../kernel/clock.ts";
import { createMemory, type Look } from "../../kernel/memory.ts";
import type { MemberRow } from "../../table/member.entity.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import { planSighting, type Sighting } from "./until-plan.ts";

/** The number of workers that are gone which a process remembers. */
const GONE_MAX = 10_000;

/** The subscription that the leases and workers belong to, and the length of a lease. */
export type Holders = { readonly uid: string; readonly leaseMs: number };

/**
 * Remembers when leases and workers expire, by the clock of this process only, whatever clocks
 * their writers have: see `planSighting`. A forgotten expiry is trusted as stored, but never for
 * longer than a lease. A look is ignored when it arrives after a look that began later.
 */
export function createUntilMemory(clock: Clock) {
  const memory = createMemory<Sighting>(clock, { ttlMs: Number.POSITIVE_INFINITY });
  const gone = createBounded<{ readonly mark: string; readonly sinceMs: number }>(GONE_MAX);

  function see(name: string, of: Look, stored: number, leaseMs: number): number {
    if (!memory.isNewest(name, of)) return recall(name, stored, leaseMs);
    const seen = planSighting(memory.recall(name), stored, { nowMs: clock.now(), leaseMs });
    memory.learn(name, of, seen);
    return seen.until;
  }

  function recall(name: string, stored: number, leaseMs: number): number {
    const seen = memory.recall(name);
    return seen?.stored === stored ? seen.until : Math.min(stored, clock.now() + leaseMs);
  }

  const leaseName = (uid: string, partition: number) => `${uid}#P${partition}`;

  return {
    /** Starts a look, before the table is read. */
    look: memory.look,

    /** Learns from the leases of rows that a look has found. */
    seeLeases(
      { uid, leaseMs }: Holders,
      of: Look,
      rows: readonly Pick<OffsetRow, "partition" | "lease">[],
    ): void {
      for (const { partition, lease } of rows) {
        if (lease?.owner !== undefined) see(leaseName(uid, partition), of, lease.until, leaseMs);
      }
    },

    /** Returns a row, with its lease's `until` by the clock of this process. */
    ofLease<Row extends Pick<OffsetRow, "partition" | "lease">>(
      { uid, leaseMs }: Holders,
      row: Row,
    ): Row {
      const { partition, lease } = row;
      if (lease?.owner === undefined) return row;
      const until = recall(leaseName(uid, partition), lease.until, leaseMs);
      return { ...row, lease: { ...lease, until } };
    },

    /** Returns when a worker that a look has found expires by this process's clock. */
    ofMember: (
      { uid, leaseMs }: Holders,
      of: Look,
      { consumer, until }: { readonly consumer: string; readonly until: number },
    ): number => see(`${uid}#M${consumer}`, of, until, leaseMs),

    /**
     * Returns for how many milliseconds this process has seen the row of a worker that is gone as
     * it is now. Clocks of others do not matter for it.
     */
    goneMs({ uid }: Pick<Holders, "uid">, { consumer, until, left = "" }: MemberRow): number {
      const [name, mark] = [`${uid}#M${consumer}`, `${until} ${left}`];
      const known = gone.get(name);
      const nowMs = clock.monotonic();
      if (known?.mark === mark) return nowMs - known.sinceMs;
      gone.set(name, { mark, sinceMs: nowMs });
      return 0;
    },

    /**
     * Returns the stored `until` of a lease that has expired by this clock although its `until` is
     * later.
     */
    ended(uid: string, partition: number): number | undefined {
      const seen = memory.recall(leaseName(uid, partition));
      const nowMs = clock.now();
      return seen !== undefined && seen.until <= nowMs && seen.stored > nowMs
        ? seen.stored
        : undefined;
    },
  };
}

export type UntilMemory = ReturnType<typeof createUntilMemory>;

/** How long a worker holds its share after each sign of life. */
export const leaseMsOf = ({ leaseSeconds }: SubscriptionRow["config"]): number =>
  leaseSeconds * 1_000;
