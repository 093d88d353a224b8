import type { Clock } from "../../kernel/clock.ts";
import { createMemory, type Look } from "../../kernel/memory.ts";
import type { OffsetRow } from "../../table/subscription.entity.ts";
import { planSighting, type Sighting } from "./until-plan.ts";

/** Whose moments they are, and for how long each holds. */
export type Holders = { readonly uid: string; readonly leaseMs: number };

/**
 * Remembers until when leases and workers hold, by the clock of this process alone, whatever clocks
 * their writers have: see `planSighting`. What it forgets is believed as it is stored, but never
 * for longer than a lease. A look that began before another and arrives after it teaches nothing.
 */
export function createUntilMemory(clock: Clock) {
  const memory = createMemory<Sighting>(clock, { ttlMs: Number.POSITIVE_INFINITY });

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
    /** To be taken before the table is asked. */
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

    /** A row that was seen, with its lease's `until` by the clock of this process. */
    ofLease<Row extends Pick<OffsetRow, "partition" | "lease">>(
      { uid, leaseMs }: Holders,
      row: Row,
    ): Row {
      const { partition, lease } = row;
      if (lease?.owner === undefined) return row;
      const until = recall(leaseName(uid, partition), lease.until, leaseMs);
      return { ...row, lease: { ...lease, until } };
    },

    /** Until when a worker that a look has found counts as alive here. */
    ofMember: (
      { uid, leaseMs }: Holders,
      of: Look,
      { consumer, until }: { readonly consumer: string; readonly until: number },
    ): number => see(`${uid}#M${consumer}`, of, until, leaseMs),

    /** The stored `until` of a lease that has ended by this clock, though it says otherwise. */
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
