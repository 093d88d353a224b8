import type { OffsetRow } from "../../table/subscription.entity.ts";

type Row = Pick<OffsetRow, "partition" | "lease">;

export type LeasePlan = {
  /** Held already, and to be kept. */
  readonly keep: readonly Row[];
  /** Of those, the ones to hold for longer now. */
  readonly renew: readonly Row[];
  /** No worker holds them. */
  readonly take: readonly Row[];
  /** More than the fair share. */
  readonly giveUp: readonly Row[];
};

/**
 * What a worker does about leases when it polls. Every worker that is alive has a quota: the
 * partitions divided by the workers, and one more for the first few where that leaves a rest. First
 * are those that hold the most, so that nothing moves without need. Quotas add up to all
 * partitions, so a worker over its own gives up and a worker below it takes what is free. Pure;
 * workers that saw different moments may disagree for one poll.
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
    /** Workers that are alive; owners of live leases count by themselves. */
    readonly alive: Iterable<string>;
    readonly nowMs: number;
    /** When the worker was last heard of: a lease lasts from then on, however long a poll waits. */
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

/** Leases are held for longer once this part of their time is left: a busy worker writes seldom. */
export const RENEW_BELOW = 2 / 3;

function quotaOf(self: string, held: ReadonlyMap<string, number>, partitions: number): number {
  const own = held.get(self) ?? 0;
  let before = 0;
  for (const [consumer, count] of held) {
    if (count > own || (count === own && consumer < self)) before++;
  }
  return Math.floor(partitions / held.size) + (before < partitions % held.size ? 1 : 0);
}

/** Workers that begin at the same moment had better not all go for the same leases. */
function spread(self: string, free: readonly Row[]): readonly Row[] {
  let start = 0;
  for (let index = 0; index < self.length; index++) {
    start = (start * 31 + self.charCodeAt(index)) % 1_000_003;
  }
  const at = free.length === 0 ? 0 : start % free.length;
  return [...free.slice(at), ...free.slice(0, at)];
}
