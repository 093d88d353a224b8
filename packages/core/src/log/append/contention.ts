import type { Random } from "../../kernel/random.ts";

/**
 * How contested a partition seems to one process: the bound of its pauses before an append, as it
 * was at `atMs` on the monotonic clock. Nobody pauses who has not lost a race lately.
 */
export type Rivalry = { readonly boundMs: number; readonly atMs: number };

/** When, on the monotonic clock, and how long a put takes these days: the measure of all pauses. */
export type Beat = { readonly nowMs: number; readonly putMs: number };

/** In puts. */
const FIRST_BOUND = 1.5;
const BOUND_MAX = 160;
const HALF_LIFE = 320;
/** Whoever has waited this long hardly pauses any more. */
const PATIENCE = 160;
/** How much a win adds to the rate of appends, per put. */
const WIN_RATE = 0.0042;

const LOSS_FACTOR = 1.5;
const HURRY = 0.1;
/** Half of the time that a request has. */
const PATIENCE_MAX_MS = 2_500;
const BOUND_MAX_MS = 2_000;
/** A pause shorter than this is none. */
const CALM_MS = 1;

/**
 * Additive increase of the rate with every win, multiplicative decrease with every loss: those who
 * write much yield more than those who write little, so all come to about the same share. Without
 * it the last winner, who alone knows the end, keeps winning.
 * Source: D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
 * Avoidance in Computer Networks", 1989.
 */
export const afterLoss = (rivalry: Rivalry | undefined, beat: Beat): Rivalry => {
  const { nowMs, putMs } = beat;
  const boundMs = Math.max(FIRST_BOUND * putMs, CALM_MS, boundAt(rivalry, beat) * LOSS_FACTOR);
  return { boundMs: Math.min(BOUND_MAX * putMs, BOUND_MAX_MS, boundMs), atMs: nowMs };
};

/** The same after a win; undefined when nothing speaks of rivals any more. */
export const afterWin = (rivalry: Rivalry | undefined, beat: Beat): Rivalry | undefined => {
  const boundMs = boundAt(rivalry, beat);
  if (boundMs === 0) return undefined;
  return { boundMs: 1 / (1 / boundMs + WIN_RATE / beat.putMs), atMs: beat.nowMs };
};

/** How long to hold back an append that has been waiting for `waitedMs`; 0 without rivals. */
export const pauseMs = (
  rivalry: Rivalry | undefined,
  beat: Beat,
  waitedMs: number,
  random: Random,
): number => {
  const boundMs = boundAt(rivalry, beat);
  const patienceMs = Math.min(PATIENCE_MAX_MS, PATIENCE * beat.putMs);
  const share = Math.max(HURRY, 1 - waitedMs / patienceMs);
  return boundMs === 0 ? 0 : random.fraction() * boundMs * share;
};

function boundAt(rivalry: Rivalry | undefined, { nowMs, putMs }: Beat): number {
  if (rivalry === undefined) return 0;
  const boundMs = rivalry.boundMs * 2 ** ((rivalry.atMs - nowMs) / (HALF_LIFE * putMs));
  return boundMs < CALM_MS ? 0 : boundMs;
}
