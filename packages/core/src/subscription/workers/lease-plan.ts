import type { OffsetRow } from "../../table/offset.entity.ts";

type Row = Pick<OffsetRow, "partition" | "lease">;

export type LeasePlan = {
  /** Leases that the worker holds and keeps. */
  readonly keep: readonly Row[];
  /** The kept leases that need a renewal. */
  readonly renew: readonly Row[];
  /** Partitions that no worker holds. */
  readonly take: readonly Row[];
  /** Leases above the fair share. */
  readonly giveUp: readonly Row[];
};

/**
 * Decides about a worker's leases when it polls. Every live worker has a quota: the partitions
 * divided by the workers. The first few workers get one more if there is a remainder. Workers with
 * the most partitions come first, so that no lease moves without need. Quotas add up to all
 * partitions, so a worker above its quota gives up leases and a worker below it takes free ones.
 * Pure. Workers with different views may disagree for one poll.
 */
export function planLeases(
  self: string,
  {
    rows,
    alive,
    nowMs,
    heardMs,
    leaseMs,
  }: {
    readonly rows: readonly Row[];
    /** The live workers. Owners of live leases count without being listed. */
    readonly alive: Iterable<string>;
    readonly nowMs: number;
    /**
     * The time of the worker's last sign of life. A lease lasts from then on, however long a poll
     * waits.
     */
    readonly heardMs: number;
    readonly leaseMs: number;
  },
): LeasePlan {
  const held = new Map([self, ...alive].map((consumer) => [consumer, 0]));
  for (const { lease } of rows) {
    if (lease?.owner === undefined || (lease.until <= nowMs && lease.owner !== self)) continue;
    held.set(lease.owner, (held.get(lease.owner) ?? 0) + 1);
  }
  const quota = quotaOf(self, held, rows.length);
  const mine = rows.filter(({ lease }) => lease?.owner === self);
  const keep = mine.slice(0, quota);
  const isFree = ({ lease }: Row) =>
    lease?.owner === undefined || (lease.owner !== self && lease.until <= nowMs);
  return {
    keep,
    renew: keep.filter(({ lease }) => (lease?.until ?? 0) - heardMs < leaseMs * RENEW_BELOW),
    take:
      heardMs + leaseMs <= nowMs
        ? []
        : spread(self, rows.filter(isFree)).slice(0, Math.max(0, quota - mine.length)),
    giveUp: mine.slice(quota),
  };
}

/** A lease is renewed once this part of its time remains, so a busy worker writes seldom. */
export const RENEW_BELOW = 2 / 3;

function quotaOf(self: string, held: ReadonlyMap<string, number>, partitions: number): number {
  const own = held.get(self) ?? 0;
  let before = 0;
  for (const [consumer, count] of held) {
    if (count > own || (count === own && consumer < self)) before++;
  }
  return Math.floor(partitions / held.size) + (before < partitions % held.size ? 1 : 0);
}

/**
 * Spreads workers that start at the same moment, so that they do not all try to take the same
 * leases.
 */
function spread(self: string, free: readonly Row[]): readonly Row[] {
  let start = 0;
  for (let index = 0; index < self.length; index++) {
    start = (start * 31 + self.charCodeAt(index)) % 1_000_003;
  }
  const at = free.length === 0 ? 0 : start % free.length;
  return [...free.slice(at), ...free.slice(0, at)];
}
