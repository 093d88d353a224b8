import { createBounded } from "../../kernel/bounded.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";

/**
 * The contention of a partition as one process sees it: the upper bound of its back-off before an
 * append, as of `atMs` on the monotonic clock. A process without a recently lost race does not back
 * off.
 */
export type Contention = { readonly boundMs: number; readonly atMs: number };

/**
 * The current time on the monotonic clock, and the recent duration of a put. Every back-off is
 * measured in puts.
 */
export type PutPace = { readonly nowMs: number; readonly putMs: number };

/** These constants are numbers of puts. */
const BOUND_FIRST = 1.5;
const BOUND_MAX = 160;
const HALF_LIFE = 320;
/** A request that has waited for this many puts hardly backs off any more. */
const PATIENCE = 160;
/** The increase in the rate of appends after each win, per put. */
const RATE_PER_WIN = 0.0042;

const LOSS_FACTOR = 1.5;
/** The share of its back-off that remains for a request past its patience. */
const SHARE_MIN = 0.1;
/** Half of a request's time limit. */
const PATIENCE_MAX_MS = 2_500;
const BOUND_MAX_MS = 2_000;
/** A shorter back-off counts as none. */
const NEGLIGIBLE_MS = 1;

const PARTITIONS_MAX = 10_000;
/** The first estimate of a put's latency, and the weight of each sample in the moving average. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const SAMPLE_WEIGHT = 0.1;

/**
 * Remembers the races that this process has won and lost in each partition, and computes the
 * back-off before the next append.
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
    /** Returns the back-off of an append to these partitions. 0 if no race was lost lately. */
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

    /** Records the duration of a put that has a verdict. */
    recordPut(tookMs: number): void {
      putMs = Math.max(PUT_MIN_MS, putMs + (tookMs - putMs) * SAMPLE_WEIGHT);
    },
  };
}

/**
 * Increases the rate additively with every win and decreases it multiplicatively with every loss. A
 * process that writes much yields more than one that writes little, so all converge to about the
 * same share. Without this the last winner, the only one that knows the end, keeps winning. Source:
 * D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion
 * Avoidance in Computer Networks", 1989.
 */
export const afterLoss = (contention: Contention | undefined, pace: PutPace): Contention => {
  const { nowMs, putMs } = pace;
  const grownMs = boundAt(contention, pace) * LOSS_FACTOR;
  const boundMs = Math.max(BOUND_FIRST * putMs, NEGLIGIBLE_MS, grownMs);
  return { boundMs: Math.min(BOUND_MAX * putMs, BOUND_MAX_MS, boundMs), atMs: nowMs };
};

/** Returns the contention after a win. Undefined once no contention remains. */
export const afterWin = (
  contention: Contention | undefined,
  pace: PutPace,
): Contention | undefined => {
  const boundMs = boundAt(contention, pace);
  if (boundMs === 0) return undefined;
  return { boundMs: 1 / (1 / boundMs + RATE_PER_WIN / pace.putMs), atMs: pace.nowMs };
};

/** Returns how long to delay an append that has waited for `waitedMs`. 0 without contention. */
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
