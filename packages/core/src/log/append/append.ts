import type { Clock } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";
import type { Sightings } from "../../model/sightings.ts";
import type { Table } from "../../table/table.ts";
import { streamBusy } from "./append-error.ts";
import { createAttempt } from "./attempt.ts";
import { createClaims } from "./claims.ts";
import { createConclusion } from "./conclusion.ts";
import { createEndMemory } from "./end-memory.ts";
import { createLastEvents } from "./last-events.ts";
import { createQueues, type RunGroup } from "./queue.ts";
import { createTickets, type Line } from "./tickets.ts";
import { expire, partitionsOf, settle, type Waiting } from "./waiting.ts";

export type AppenderDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly sightings?: Sightings | undefined;
  /**
   * When false, every request is appended alone, as if each had its own process. Only for
   * measuring.
   */
  readonly groupCommit?: boolean;
  /** How many requests may wait before the process refuses further ones. The default is 10,000. */
  readonly waitingMax?: number;
  readonly observeAppend?: ObserveAppend;
};

/**
 * Called at the steps of appends: `AppendPuts` for each put, `Appends` when an append has landed,
 * `AppendConflicts` when another writer was faster and the append starts again. Must not throw.
 */
export type ObserveAppend = (step: "AppendPuts" | "Appends" | "AppendConflicts") => void;

/**
 * Extends the chains of partitions. One append is in flight per partition and process. Requests
 * that arrive in the meantime wait and share the next batch. `append` resolves once the events are
 * durable, or throws one of these errors:
 * - `stream-not-found`: the life has ended
 * - `stream-busy`: not written, and this request will never write it
 * - `outcome-unknown`: perhaps written
 * - `sequence-mismatch`: not written, because a key differs from the request's expectation
 * - `compaction-lagging`: not written, because that expectation cannot be checked
 * - `idempotency-key-reused`, `too-many-requests`, `request-too-large`, `compaction-stalled` and
 *   `numbering-at-risk`
 *
 * A request passes `queue.ts` (admission). Each round then runs `tickets.ts` (other writers first),
 * `attempt.ts` (one try) and `conclusion.ts` (its result).
 */
export function createAppender(deps: AppenderDeps) {
  const { clock, table, random, observeAppend: observe = () => {} } = deps;
  const ends = createEndMemory(deps);
  const lastEvents = createLastEvents(deps);
  const claims = createClaims({ table, clock, random, ends });
  const tickets = createTickets({ table, clock, ends });
  const attempt = createAttempt({
    table,
    clock,
    random,
    ends,
    lastEvents,
    claims,
    onPut: () => observe("AppendPuts"),
    onVerdict: tickets.recordPut,
  });
  const conclude = createConclusion({ ends, lastEvents, claims, observe });
  const queues = createQueues(deps, runGroup);

  async function runGroup(group: readonly Waiting[], join: Parameters<RunGroup>[1]): Promise<void> {
    let live = group;
    const [first] = group;
    if (first === undefined) return;
    const line = tickets.join(first.target.life);
    for (let round = 0; live.length > 0; round++) {
      const began = clock.monotonic();
      await line.wait(partitionsOf(live), Math.min(...live.map((item) => item.deadline)));
      live = expire(live, clock.monotonic(), streamBusy);
      if (round > 0 || clock.monotonic() > began) live = [...live, ...join(live)];
      live = await tryOnce(live, line);
    }
  }

  /** Returns the requests that have to retry. An unexpected error settles all of them. */
  async function tryOnce(live: readonly Waiting[], line: Line): Promise<readonly Waiting[]> {
    try {
      const tried = await attempt(live, line.tickets);
      return tried.kind === "sent" ? conclude(tried, line) : tried.live;
    } catch (error) {
      for (const item of live) settle(item, () => item.reject(error));
      return [];
    }
  }

  /** Discards everything that this process remembers of a life's chains. */
  function forget(life: Life, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      ends.forget(life, [partition]);
      lastEvents.forget(life, partition);
    }
  }

  return { append: queues.enter, forget };
}
