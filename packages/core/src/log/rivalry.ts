import type { Random } from "../kernel/random.ts";

/**
 * How contested a partition seems to one process: the bound of its pauses before an append, as it
 * was at `atMs` on the monotonic clock. Nobody pauses who has not lost a race lately.
 */
export type Rivalry = { readonly boundMs: number; readonly atMs: number };

const FIRST_BOUND_MS = 10;
const BOUND_MAX_MS = 1_000;
const LOSS_FACTOR = 1.5;
/** How much a win adds to the rate of appends, per millisecond. */
const WIN_RATE = 0.0007;
const HALF_LIFE_MS = 2_000;
/** A pause shorter than this is none. */
const CALM_MS = 1;
/** Whoever has waited this long hardly pauses any more. */
const PATIENCE_MS = 1_000;
const HURRY = 0.1;

/**
 * Additive increase of the rate with every win, multiplicative decrease with every loss: those who
 * write much yield more than those who write little, so all come to about the same share. Without
 * it the last winner, who alone knows the end, keeps winning.
 * Source: D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
 * Avoidance in Computer Networks", 1989.
 */
export const afterLoss = (rivalry: Rivalry | undefined, nowMs: number): Rivalry => {
  const boundMs = Math.max(FIRST_BOUND_MS, boundAt(rivalry, nowMs) * LOSS_FACTOR);
  return { boundMs: Math.min(BOUND_MAX_MS, boundMs), atMs: nowMs };
};

/** The same after a win; undefined when nothing speaks of rivals any more. */
export const afterWin = (rivalry: Rivalry | undefined, nowMs: number): Rivalry | undefined => {
  const boundMs = boundAt(rivalry, nowMs);
  return boundMs === 0 ? undefined : { boundMs: 1 / (1 / boundMs + WIN_RATE), atMs: nowMs };
};

/** How long to hold back an append that has been waiting for `waitedMs`; 0 without rivals. */
export const pauseMs = (
  rivalry: Rivalry | undefined,
  nowMs: number,
  waitedMs: number,
  random: Random,
): number => {
  const share = Math.max(HURRY, 1 - waitedMs / PATIENCE_MS);
  const boundMs = boundAt(rivalry, nowMs);
  return boundMs === 0 ? 0 : random.fraction() * boundMs * share;
};

function boundAt(rivalry: Rivalry | undefined, nowMs: number): number {
  if (rivalry === undefined) return 0;
  const boundMs = rivalry.boundMs * 2 ** ((rivalry.atMs - nowMs) / HALF_LIFE_MS);
  return boundMs < CALM_MS ? 0 : boundMs;
}
