import type { Clock } from "../../kernel/clock.ts";
import type { Notifier } from "../../log/notifier.ts";
import type { Life } from "../../model/names.ts";

/**
 * The first re-check interval. It bounds how late this process sees the writes of other processes.
 */
const GAP_FIRST_MS = 500;
const GAP_MAX_MS = 1_500;
/**
 * The minimum pause after a check that found nothing, even if notifications arrive. On a busy
 * stream, a poll that waits for other events must not check after every publish.
 */
const REST_MS = 50;

export type WaitOptions<Page> = {
  readonly waitMs: number;
  /** Aborts when the client has disconnected. */
  readonly signal?: AbortSignal | undefined;
  /** The longest time between two checks, if it is shorter than the default. */
  readonly gapMaxMs?: number | undefined;
  /** Looks for something to deliver. Receives the previous look. */
  readonly look: (before: Page | undefined) => Promise<Page>;
  /** A cheaper check. Returns true when a further look is worthwhile. */
  readonly hasNewEvents: (page: Page) => Promise<boolean>;
};

/**
 * Looks until there is something to deliver or the time is up, and returns the last look. Events of
 * this process wake it at once. It sees events of other processes at the next check. It ends early
 * when the client has disconnected or the notifier is closed.
 */
export async function waitForEvents<Page extends { readonly idle: boolean }>(
  { notifier, clock }: { readonly notifier: Notifier; readonly clock: Clock },
  life: Life,
  { waitMs, signal, gapMaxMs = GAP_MAX_MS, look, hasNewEvents }: WaitOptions<Page>,
): Promise<{ page: Page; waitedOut: boolean }> {
  const deadline = clock.monotonic() + waitMs;
  const mustEnd = () => notifier.isClosed() || signal?.aborted === true;
  let waiter = notifier.listen(life, signal);
  try {
    let page = await look(undefined);
    let lookedMs = clock.monotonic();
    for (let gapMs = GAP_FIRST_MS; page.idle; gapMs *= 2) {
      const leftMs = deadline - clock.monotonic();
      if (leftMs <= 0) return { page, waitedOut: waitMs > 0 };
      if (mustEnd()) break;
      await clock.sleep(Math.min(leftMs, gapMs, gapMaxMs, GAP_MAX_MS), waiter.signal);
      const earlyMs = lookedMs + REST_MS - clock.monotonic();
      if (earlyMs > 0) await clock.sleep(Math.min(earlyMs, leftMs), signal);
      if (!waiter.signal.aborted && !(await hasNewEvents(page))) continue;
      if (mustEnd()) break;
      waiter.stop();
      waiter = notifier.listen(life, signal);
      page = await look(page);
      lookedMs = clock.monotonic();
    }
    return { page, waitedOut: false };
  } finally {
    waiter.stop();
  }
}
