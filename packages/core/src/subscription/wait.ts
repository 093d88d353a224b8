import type { Clock } from "../kernel/clock.ts";
import type { Life } from "../kernel/names.ts";
import type { Bell } from "../log/bell.ts";

/** Time between two looks at the table: news of other processes are met no later than that. */
const GAP_FIRST_MS = 500;
const GAP_MAX_MS = 2_000;

export type Patience = {
  readonly waitMs: number;
  /** Aborts when whoever asked has gone away. */
  readonly signal?: AbortSignal | undefined;
  /** The longest time between two looks, where it is shorter than usual. */
  readonly gapMaxMs?: number | undefined;
};

/**
 * Looks again and again until there is something to tell or the time is up, and answers the last
 * look. News of this process wake it at once, those of others are met at the next look. Ends early
 * when the client has gone away or the bell is closed. `look` gets the look before.
 */
export async function waitForNews<Page extends { readonly idle: boolean }>(
  { bell, clock }: { readonly bell: Bell; readonly clock: Clock },
  life: Life,
  { waitMs, signal, gapMaxMs = GAP_MAX_MS }: Patience,
  look: (before: Page | undefined) => Promise<Page>,
): Promise<{ page: Page; waitedOut: boolean }> {
  const deadline = clock.monotonic() + waitMs;
  let page: Page | undefined;
  for (let gapMs = GAP_FIRST_MS; ; gapMs *= 2) {
    const ear = bell.listen(life, signal);
    try {
      page = await look(page);
      const leftMs = deadline - clock.monotonic();
      const over = leftMs <= 0 || bell.isClosed() || signal?.aborted === true;
      if (over || !page.idle) return { page, waitedOut: waitMs > 0 && leftMs <= 0 };
      await clock.sleep(Math.min(leftMs, gapMs, gapMaxMs, GAP_MAX_MS), ear.signal);
    } finally {
      ear.stop();
    }
  }
}
