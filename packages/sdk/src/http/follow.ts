import { type Clock, sleep } from "./clock.ts";

/** How long the server may hold a poll: as it advises, or a number of seconds. */
export type Wait = "advised" | "none" | number;

type Paced = {
  readonly caughtUp: boolean;
  readonly waitSecondsAdvised: number;
  readonly nextPollMs?: number;
};

/** Returns the `waitSeconds` of the next request. Only a loop that has reached the end waits. */
export const waitSecondsAfter = (wait: Wait, former: Paced | undefined): number | undefined => {
  if (wait === "none" || !former?.caughtUp) return undefined;
  return (wait === "advised" ? former.waitSecondsAdvised : Math.min(wait, 20)) || undefined;
};

/** Waits for the pause that the server asks for after a page. */
export async function pace(
  clock: Clock,
  { nextPollMs = 0 }: Paced,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (nextPollMs > 0) await sleep(clock, nextPollMs, signal);
}

/** A loop that follows a stream repeats its request until an answer arrives. */
export const FOREVER = Number.POSITIVE_INFINITY;
