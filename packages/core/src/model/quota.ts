/**
 * The limits of a tenant or a key. An absent one does not limit. The last three are those of
 * tenants only.
 */
export type Limits = {
  readonly requestsPerSecond?: number | undefined;
  readonly eventsPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly streams?: number | undefined;
  readonly subscriptions?: number | undefined;
  readonly storedBytes?: number | undefined;
};

export const RATES = ["requestsPerSecond", "eventsPerSecond", "bytesPerSecond"] as const;
export type Rate = (typeof RATES)[number];

/** Tokens that were left at a time in milliseconds since 1970. Negative after a large request. */
export type Bucket = readonly [tokens: number, at: number];
export type Buckets = Readonly<Partial<Record<Rate, Bucket>>>;

/** What a request takes, and how much a process wants in advance. */
export type Want = { readonly rate: Rate; readonly amount: number; readonly ahead: number };

export type LeasePlan =
  | {
      readonly kind: "granted";
      readonly buckets: Buckets;
      readonly granted: Readonly<Partial<Record<Rate, number>>>;
    }
  | { readonly kind: "denied"; readonly rate: Rate; readonly until: number };

/** A bucket is full with what this many seconds bring. It bounds a burst. */
const BURST_SECONDS = 2;
/** A process that needs many tokens waits for this part of a second's worth, and takes no less. */
const PORTIONS = 5;
/** A request with more than this part of a second's worth takes its own tokens, and no portion. */
const SMALL_PARTS = 10;

/**
 * Takes tokens from buckets, of every rate or of none. A request that is larger than a full bucket
 * takes it below zero, so it is possible, and those after it wait. Pure.
 */
export function planLease(
  limits: Limits,
  stored: Buckets,
  wants: readonly Want[],
  nowMs: number,
): LeasePlan {
  const buckets: Partial<Record<Rate, Bucket>> = { ...stored };
  const granted: Partial<Record<Rate, number>> = {};
  for (const { rate, amount, ahead } of wants) {
    const perSecond = limits[rate];
    if (perSecond === undefined) continue;
    const full = perSecond * BURST_SECONDS;
    const [tokens, at] = stored[rate] ?? [full, nowMs];
    const passed = Math.max(0, nowMs - at) / 1_000;
    const available = Math.min(full, tokens + passed * perSecond);
    const isSmall = amount * SMALL_PARTS <= perSecond;
    const portion = isSmall ? Math.min(ahead, perSecond / PORTIONS) : 0;
    const least = Math.min(amount + portion, full);
    if (available < least) {
      return { kind: "denied", rate, until: nowMs + ((least - available) / perSecond) * 1_000 };
    }
    const taken = Math.max(amount, Math.min(amount + ahead, available));
    granted[rate] = taken;
    buckets[rate] = [available - taken, Math.max(at, nowMs)];
  }
  return { kind: "granted", buckets, granted };
}
