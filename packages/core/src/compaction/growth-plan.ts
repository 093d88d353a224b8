import { LIMITS } from "@eventledger/protocol";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Crowding } from "../model/crowding.ts";
import { CHAINS_MAX, chainCount, type Partitioned } from "../model/epochs.ts";
import type { SafePoint } from "./section.ts";

/**
 * A minute is crowded with this many batches, if half of them waited: 25 a second. A partition
 * takes about 100 on Lambda.
 */
const CROWDED_BATCHES = 1_500;
/** A stream grows after so many crowded minutes in a row. */
const CROWDED_MINUTES = 3;

/** How many batches make a minute crowded, and after how many such minutes a stream grows. */
export type GrowthRule = { readonly batches: number; readonly minutes: number };

export const GROWTH_RULE: GrowthRule = { batches: CROWDED_BATCHES, minutes: CROWDED_MINUTES };
/** What is longer ago says nothing about the present. */
const RECENT_MS = 10 * MINUTE_MS;
/** From one partition to 64 in three steps, which are 85 of the 96 that a stream may have. */
const FACTOR = 4;
const FACTOR_MIN = 2;

const NOTHING: Crowding = [0, 0, 0, 0];

/**
 * Adds the batches of a section between two of its places to the crowding of a partition. Every
 * place is the end of a batch. Pure.
 */
export function countCrowding(
  known: Crowding | undefined,
  { safePoints }: { readonly safePoints: readonly SafePoint[] },
  { after, to }: { readonly after: number; readonly to: number },
  rule: GrowthRule = GROWTH_RULE,
): Crowding {
  let [minute, batches, waited, crowdedMinutes] = known ?? NOTHING;
  for (const place of safePoints) {
    if (place.to > to) break;
    if (place.to <= after) continue;
    const present = Math.floor(place.publishedAt / MINUTE_MS);
    if (present > minute) {
      const wasCrowded = batches >= rule.batches && waited * 2 >= batches;
      crowdedMinutes = wasCrowded && present === minute + 1 ? crowdedMinutes + 1 : 0;
      [minute, batches, waited] = [present, 0, 0];
    }
    batches++;
    if (place.waited) waited++;
  }
  return [minute, batches, waited, crowdedMinutes];
}

/**
 * Returns whether a minute has ended after which the stream may have to grow. It is true at most
 * once a minute. Pure.
 */
export const isDue = (
  before: Crowding | undefined,
  after: Crowding,
  { minutes }: GrowthRule = GROWTH_RULE,
): boolean => after[3] >= minutes && after[0] !== before?.[0];

/**
 * Returns how many partitions a stream gets, or undefined if it keeps those that it has. It grows
 * if half of the partitions of its last epoch are crowded. If fewer are, some keys are busy, and
 * more partitions would not divide a key. Pure.
 */
export function planGrowth(
  stream: Partitioned & { readonly auto?: true; readonly growing?: number },
  crowdings: readonly (Crowding | undefined)[],
  nowMs: number,
  { minutes }: GrowthRule = GROWTH_RULE,
): number | undefined {
  if (stream.auto !== true || stream.growing !== undefined) return undefined;
  const { partitions } = stream;
  const crowded = crowdings.filter(
    (crowding) => crowding !== undefined && crowding[3] >= minutes && isNow(crowding, nowMs),
  );
  if (crowded.length * 2 < partitions) return undefined;
  const left = CHAINS_MAX - chainCount(stream);
  const most = Math.min(LIMITS.partitionsMax, partitions * FACTOR, left);
  return most >= partitions * FACTOR_MIN ? most : undefined;
}

const isNow = ([minute]: Crowding, nowMs: number): boolean =>
  Math.abs(nowMs - minute * MINUTE_MS) < RECENT_MS;
