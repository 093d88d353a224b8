/**
 * The limits of a tenant or a key. An absent limit does not apply. Only tenants have the last
 * three.
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

/** The amount that a request takes, and the amount that a process wants in advance. */
export type Want = { readonly rate: Rate; readonly amount: number; readonly ahead: number };

export type LeasePlan =
  | {
      readonly kind: "granted";
      readonly buckets: Buckets;
      readonly granted: Readonly<Partial<Record<Rate, number>>>;
    }
  | { readonly kind: "denied"; readonly rate: Rate; readonly until: number };

/** A full bucket holds the tokens of this many seconds. It bounds a burst. */
const BURST_SECONDS = 2;
/**
 * A process that needs many tokens waits for a second's tokens divided by this, and takes no less.
 */
const PORTIONS = 5;
/**
 * A request for more than a second's tokens divided by this takes its own tokens, and nothing in
 * advance.
 */
const SMALL_PARTS = 10;

/**
 * Takes tokens from the buckets of all rates, or from none. A request that is larger than a full
 * bucket brings it below zero. So the request is possible, and later ones wait. Pure.
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
