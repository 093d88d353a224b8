import { type Clock, sleep } from "./clock.ts";

/** How long the server may hold a poll: as it advises, or a number of seconds. */
export type Wait = "advised" | "none" | number;

type Paced = { readonly waitSecondsAdvised: number; readonly nextPollMs?: number };

/**
 * The `waitSeconds` of the next request. The first request of a loop does not yet know the advice.
 */
export const waitSecondsAfter = (wait: Wait, former: Paced | undefined): number | undefined => {
  if (wait === "none") return undefined;
  const advised = former?.waitSecondsAdvised ?? 0;
  return (wait === "advised" ? advised : Math.min(wait, 20)) || undefined;
};

/** The pause that the server asks for after a page. */
export async function pace(clock: Clock, page: Paced, signal?: AbortSignal): Promise<void> {
  const { nextPollMs = 0 } = page;
  if (nextPollMs > 0) await sleep(clock, nextPollMs, signal);
  else signal?.throwIfAborted();
}

/** A loop that follows a stream repeats its request until an answer comes. */
export const FOREVER = Number.POSITIVE_INFINITY;
