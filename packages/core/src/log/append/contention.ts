import { createBounded } from "../../kernel/bounded.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";

/**
 * How contested a partition seems to one process: the bound of its back-off before an append, as it
 * was at `atMs` on the monotonic clock. A process that has not lost a race lately does not back
 * off.
 */
export type Contention = { readonly boundMs: number; readonly atMs: number };

/**
 * The moment, on the monotonic clock, and how long a put takes lately: the unit of every back-off.
 */
export type PutPace = { readonly nowMs: number; readonly putMs: number };

/** In puts. */
const BOUND_FIRST = 1.5;
const BOUND_MAX = 160;
const HALF_LIFE = 320;
/** A request that has waited this long hardly backs off any more. */
const PATIENCE = 160;
/** How much a win adds to the rate of appends, per put. */
const RATE_PER_WIN = 0.0042;

const LOSS_FACTOR = 1.5;
/** What is left of the back-off of a request whose patience is over. */
const SHARE_MIN = 0.1;
/** Half of the time that a request has. */
const PATIENCE_MAX_MS = 2_500;
const BOUND_MAX_MS = 2_000;
/** A back-off shorter than this is none. */
const NEGLIGIBLE_MS = 1;

const PARTITIONS_MAX = 10_000;
/** The first estimate of a put's latency, and the weight of each sample in the moving average. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const SAMPLE_WEIGHT = 0.1;

/**
 * Remembers the races that this process has won and lost, partition by partition, and says how long
 * to back off before the next append.
 */
export function createContention({ clock, random }: { clock: Clock; random: Random }) {
  const partitions = createBounded<Contention>(PARTITIONS_MAX);
  let putMs = PUT_FIRST_MS;
  const pace = (): PutPace => ({ nowMs: clock.monotonic(), putMs });
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  function keep(name: string, contention: Contention | undefined): void {
    if (contention === undefined) partitions.delete(name);
    else partitions.set(name, contention);
  }

  return {
    /** How long an append to these partitions backs off; 0 where no race was lost lately. */
    backOffMs(life: Life, of: Iterable<number>, waitedMs: number): number {
      const pauses = Array.from(of, (partition) =>
        pauseMs(partitions.get(nameOf(life, partition)), pace(), waitedMs, random),
      );
      return Math.max(...pauses);
    },

    recordWin(life: Life, partition: number): void {
      const name = nameOf(life, partition);
      keep(name, afterWin(partitions.get(name), pace()));
    },

    recordLoss(life: Life, partition: number): void {
      const name = nameOf(life, partition);
      keep(name, afterLoss(partitions.get(name), pace()));
    },

    /** A put with a verdict took this long. */
    recordPut(tookMs: number): void {
      putMs = Math.max(PUT_MIN_MS, putMs + (tookMs - putMs) * SAMPLE_WEIGHT);
    },
  };
}

/**
 * Additive increase of the rate with every win, multiplicative decrease with every loss: a process
 * that writes much yields more than one that writes little, so all come to about the same share.
 * Without it the last winner, which alone knows the end, keeps winning.
 * Source: D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
 * Avoidance in Computer Networks", 1989.
 */
export const afterLoss = (contention: Contention | undefined, pace: PutPace): Contention => {
  const { nowMs, putMs } = pace;
  const grownMs = boundAt(contention, pace) * LOSS_FACTOR;
  const boundMs = Math.max(BOUND_FIRST * putMs, NEGLIGIBLE_MS, grownMs);
  return { boundMs: Math.min(BOUND_MAX * putMs, BOUND_MAX_MS, boundMs), atMs: nowMs };
};

/** The same after a win; undefined once nothing is left of the contention. */
export const afterWin = (
  contention: Contention | undefined,
  pace: PutPace,
): Contention | undefined => {
  const boundMs = boundAt(contention, pace);
  if (boundMs === 0) return undefined;
  return { boundMs: 1 / (1 / boundMs + RATE_PER_WIN / pace.putMs), atMs: pace.nowMs };
};

/** How long to hold back an append that has been waiting for `waitedMs`; 0 without contention. */
export const pauseMs = (
  contention: Contention | undefined,
  pace: PutPace,
  waitedMs: number,
  random: Random,
): number => {
  const boundMs = boundAt(contention, pace);
  const patienceMs = Math.min(PATIENCE_MAX_MS, PATIENCE * pace.putMs);
  const share = Math.max(SHARE_MIN, 1 - waitedMs / patienceMs);
  return boundMs === 0 ? 0 : random.fraction() * boundMs * share;
};

function boundAt(contention: Contention | undefined, { nowMs, putMs }: PutPace): number {
  if (contention === undefined) return 0;
  const boundMs = contention.boundMs * 2 ** ((contention.atMs - nowMs) / (HALF_LIFE * putMs));
  return boundMs < NEGLIGIBLE_MS ? 0 : boundMs;
}
