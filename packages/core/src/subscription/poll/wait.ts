import type { Clock } from "../../kernel/clock.ts";
import type { Notifier } from "../../log/notifier.ts";
import type { Life } from "../../model/names.ts";

/** First re-check interval. Bounds how late this process sees another process's write. */
const GAP_FIRST_MS = 500;
const GAP_MAX_MS = 1_500;
/**
 * A look that found nothing is not followed by another for so long, whatever rings: a busy stream
 * must not make those look at every publish who wait for something else in it.
 */
const REST_MS = 50;

export type Patience<Page> = {
  readonly waitMs: number;
  /** Aborts when the client has gone away. */
  readonly signal?: AbortSignal | undefined;
  /** The longest time between two checks, where it is shorter than usual. */
  readonly gapMaxMs?: number | undefined;
  /** Looks whether there may be something to tell. Gets the look before. */
  readonly look: (before: Page | undefined) => Promise<Page>;
  /** A cheaper check: true when another look is worth it. */
  readonly hasNewEvents: (page: Page) => Promise<boolean>;
};

/**
 * Looks until there is something to deliver or the time is up, and answers the last look. Events of
 * this process wake it at once, those of others are seen at the next check. Ends early when the
 * client has gone away or the notifier is closed.
 */
export async function waitForEvents<Page extends { readonly idle: boolean }>(
  { notifier, clock }: { readonly notifier: Notifier; readonly clock: Clock },
  life: Life,
  { waitMs, signal, gapMaxMs = GAP_MAX_MS, look, hasNewEvents }: Patience<Page>,
): Promise<{ page: Page; waitedOut: boolean }> {
  const deadline = clock.monotonic() + waitMs;
  const mustEnd = () => notifier.isClosed() || signal?.aborted === true;
  let page: Page | undefined;
  let gapMs = GAP_FIRST_MS;
  for (;;) {
    const waiter = notifier.listen(life, signal);
    try {
      page = await look(page);
      const lookedMs = clock.monotonic();
      for (let quiet = page.idle; quiet; ) {
        const leftMs = deadline - clock.monotonic();
        if (leftMs <= 0) return { page, waitedOut: waitMs > 0 };
        if (mustEnd()) break;
        await clock.sleep(Math.min(leftMs, gapMs, gapMaxMs, GAP_MAX_MS), waiter.signal);
        const earlyMs = lookedMs + REST_MS - clock.monotonic();
        if (earlyMs > 0) await clock.sleep(Math.min(earlyMs, leftMs), signal);
        gapMs *= 2;
        quiet = !waiter.signal.aborted && !(await hasNewEvents(page));
      }
      if (!page.idle || mustEnd()) return { page, waitedOut: false };
    } finally {
      waiter.stop();
    }
  }
}
