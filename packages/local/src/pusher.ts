import type { Ledger, PushId } from "@eventledger/core";

type Options = {
  readonly ledger: Pick<Ledger, "runPush" | "listPushes">;
  readonly onNotice: (line: string) => void;
};

export type Pusher = {
  /** Runs these pushes soon. */
  ring(ids: readonly PushId[]): void;
  /** Waits for the runs in progress, at most for the time of a page. */
  stop(): Promise<void>;
};

const AT_ONCE = 8;
const BUDGET_MS = 50_000;
/** All pushes are rung this often, in case a stopped process has left work. */
const REPAIR_MS = 60_000;
/** A run that throws is repeated after 5 s, then after twice as long each time. */
const RETRY_MS = 5_000;
const RETRY_MAX_MS = 15 * 60_000;
const STOP_MS = 3_000;

/**
 * Does locally what a queue of bells and the pusher function do on AWS. A push runs once at a time.
 * A ring during a run makes another one follow.
 */
export function startPusher({ ledger, onNotice }: Options): Pusher {
  const waiting = new Map<string, PushId>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  const later = (id: PushId, atMs: number) => {
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        ring([id]);
      },
      Math.max(0, atMs - Date.now()),
    );
    timers.add(timer);
  };

  async function run(id: PushId): Promise<void> {
    try {
      const { againAt } = await ledger.runPush(id, { budgetMs: BUDGET_MS });
      failures.delete(nameOf(id));
      if (againAt !== undefined && !stopped) later(id, againAt);
    } catch (error) {
      if (stopped) return;
      const count = failures.get(nameOf(id)) ?? 0;
      failures.set(nameOf(id), count + 1);
      const delayMs = Math.min(RETRY_MS * 2 ** count, RETRY_MAX_MS);
      onNotice(`A push failed and is tried again in ${delayMs / 1_000} s: ${error}`);
      later(id, Date.now() + delayMs);
    }
  }

  function go(): void {
    for (const [name, id] of waiting) {
      if (stopped || running.size >= AT_ONCE) return;
      if (running.has(name)) continue;
      waiting.delete(name);
      const work = run(id).finally(() => {
        running.delete(name);
        go();
      });
      running.set(name, work);
    }
  }

  function ring(ids: readonly PushId[]): void {
    for (const id of ids) waiting.set(nameOf(id), id);
    go();
  }

  const repair = () =>
    void ledger.listPushes().then(ring, (error: unknown) => {
      if (!stopped) onNotice(`The pushes cannot be listed: ${error}`);
    });
  repair();
  const repairing = setInterval(repair, REPAIR_MS);

  return {
    ring,
    async stop() {
      stopped = true;
      clearInterval(repairing);
      for (const timer of timers) clearTimeout(timer);
      const ended = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([Promise.all(running.values()), ended]);
    },
  };
}

const nameOf = ({ life, subscriptionUid }: PushId): string => `${life}#${subscriptionUid}`;
