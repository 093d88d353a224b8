import type { Clock } from "../kernel/clock.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Poll } from "../subscription/poll/page.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { Leases } from "../subscription/workers/leases.ts";
import { leaseMsOf } from "../subscription/workers/until-memory.ts";

type Deps = {
  readonly clock: Clock;
  readonly leases: Pick<Leases, "hold">;
  readonly subscriptions: Pick<Subscriptions, "recall">;
};

/** A worker, and the page that it works on. */
type Working = {
  readonly stream: LiveStream;
  readonly subscription: string;
  readonly consumer: string;
  readonly page: Pick<Poll, "cursor">;
};

/** The leases of a worker for a page. */
export type Kept = {
  stop(): void;
  /** Renews the leases, and returns whether the worker still has all of them. */
  holds(): Promise<boolean>;
};

/** Renews a worker's leases while it works on a page. Calls `onLost` when it loses one of them. */
export function keepLeases(
  { clock, leases, subscriptions }: Deps,
  { stream, subscription, consumer, page }: Working,
  onLost: () => void,
): Kept {
  const { tokens = [] } = page.cursor;
  const ending = new AbortController();
  const holds = async () => {
    const held = await leases.hold(stream, subscription, consumer, { heardMs: clock.now() });
    return tokens.every((token, at) => token === undefined || held.tokens[at] === token);
  };
  const renew = async () => {
    const { row } = await subscriptions.recall(stream, subscription);
    while (!ending.signal.aborted) {
      await clock.sleep(leaseMsOf(row.config) / 3, ending.signal);
      if (!ending.signal.aborted && !(await holds())) onLost();
    }
  };
  renew().catch(() => {
    if (!ending.signal.aborted) onLost();
  });
  return { stop: () => ending.abort(), holds };
}
