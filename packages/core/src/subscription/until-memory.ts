import type { Clock } from "../kernel/clock.ts";
import type { OffsetRow } from "../table/subscription.entity.ts";
import { planSighting, type Sighting } from "./until-plan.ts";

const ENTRIES_MAX = 10_000;

/** Whose moments they are, and for how long each holds. */
export type Holders = { readonly uid: string; readonly leaseMs: number };

/**
 * Remembers until when leases and workers hold, by the clock of this process alone, whatever clocks
 * their writers have: see `planSighting`. What it forgets is believed as it is stored, but never for
 * longer than a lease.
 */
export function createUntilMemory(clock: Clock) {
  const memory = new Map<string, Sighting>();

  function see(name: string, stored: number, leaseMs: number): number {
    const seen = planSighting(memory.get(name), stored, { nowMs: clock.now(), leaseMs });
    memory.delete(name);
    memory.set(name, seen);
    const [oldest] = memory.keys();
    if (memory.size > ENTRIES_MAX && oldest !== undefined) memory.delete(oldest);
    return seen.until;
  }

  const leaseName = (uid: string, partition: number) => `${uid}#P${partition}`;

  return {
    /** The row with its lease's `until` by the clock of this process. */
    ofLease<Row extends Pick<OffsetRow, "partition" | "lease">>(
      { uid, leaseMs }: Holders,
      row: Row,
    ): Row {
      const { partition, lease } = row;
      if (lease?.owner === undefined) return row;
      const until = see(leaseName(uid, partition), lease.until, leaseMs);
      return { ...row, lease: { ...lease, until } };
    },

    ofMember: ({ uid, leaseMs }: Holders, member: { consumer: string; until: number }): number =>
      see(`${uid}#M${member.consumer}`, member.until, leaseMs),

    /** The stored `until` of a lease that has ended by this clock, though it says otherwise. */
    ended(uid: string, partition: number): number | undefined {
      const seen = memory.get(leaseName(uid, partition));
      const nowMs = clock.now();
      return seen !== undefined && seen.until <= nowMs && seen.stored > nowMs
        ? seen.stored
        : undefined;
    },
  };
}

export type UntilMemory = ReturnType<typeof createUntilMemory>;
