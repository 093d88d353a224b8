import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/**
 * The result with which an attempt asks for another one. `cause` is thrown if there is no further
 * attempt.
 */
class Again {
  readonly cause: unknown;
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

export const again = (cause?: unknown): Again => new Again(cause);

/** Waits after attempt number `attempt`, from 0. */
type Pause = (attempt: number) => Promise<void>;

export type Limits<T> = {
  /** Pauses between two attempts. If absent, there is no pause. */
  readonly pause?: Pause;
  /** The maximum number of attempts. If absent, `attempt` itself must end. */
  readonly tries?: number;
  /** Returns whether the time is up. Called before each attempt. */
  readonly isOver?: () => boolean;
  /** Returns the result after the last attempt, or throws. The default throws the last cause. */
  readonly giveUp?: (cause: unknown) => T;
};

/**
 * Repeats an attempt until it has a result. It passes through these states:
 *
 * 1. attempting: a result is returned, an error is thrown, and `again` leads to 2
 * 2. no attempts left: `giveUp` decides; otherwise 3
 * 3. pausing
 * 4. no time left: `giveUp` decides; otherwise 1
 */
export async function retry<T>(
  { pause, tries = Infinity, isOver, giveUp = rethrow }: Limits<T>,
  attempt: (number: number) => Promise<T | Again>,
): Promise<T> {
  let cause: unknown;
  for (let number = 0; number < tries; number++) {
    if (number > 0) await pause?.(number - 1);
    if (isOver?.()) break;
    const result = await attempt(number);
    if (!(result instanceof Again)) return result;
    cause = result.cause;
  }
  return giveUp(cause);
}

function rethrow(cause: unknown): never {
  throw cause;
}

/** The bounds of a back-off in milliseconds: the bound of the first one, and the maximum. */
type Bounds = { readonly baseMs: number; readonly capMs: number };

/** Returns pauses that grow exponentially. See `fullJitterMs`. */
export const backOff =
  ({ clock, random }: { readonly clock: Clock; readonly random: Random }, bounds: Bounds): Pause =>
  (attempt) =>
    clock.sleep(fullJitterMs(random, attempt, bounds));

/**
 * Returns the back-off after attempt number `attempt` (from 0): "full jitter", a uniform choice
 * below an exponentially growing bound, so that clients that collided do not collide again. Source:
 * M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export const fullJitterMs = (random: Random, attempt: number, { baseMs, capMs }: Bounds): number =>
  random.fraction() * Math.min(capMs, baseMs * 2 ** attempt);
