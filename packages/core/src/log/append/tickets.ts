import type { Clock } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import type { Table } from "../../table/table.ts";
import type { EndMemory } from "./end-memory.ts";
import { aheadOf, isOverdue, isServing, pauseMs, type Ticket } from "./ticket-plan.ts";

type Deps = {
  readonly table: { readonly checkpoints: Pick<Table["checkpoints"], "takeTicket"> };
  readonly clock: Clock;
  readonly ends: Pick<EndMemory, "load" | "peek">;
};

/** The first estimate of a put's latency, and the weight of each sample in the moving average. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const SAMPLE_WEIGHT = 0.1;

/** One append among the writers of its partitions, from its first attempt to its last. */
export type Line = {
  /** The tickets that it has taken, by partition. */
  readonly tickets: ReadonlyMap<number, Ticket>;

  /**
   * Takes a ticket in each partition where writers take tickets, and waits for all of them, until
   * `deadline` on the monotonic clock at most. A ticket that an earlier attempt took still counts.
   */
  wait(partitions: Iterable<number>, deadline: number): Promise<void>;

  /** A different writer was faster. */
  lost(partition: number): void;
};

/**
 * Lets writers that share nothing but the table append one after another, instead of racing for the
 * end. A writer that has lost a race increments a number in the partition's checkpoint. The result
 * is its ticket. Each batch carries the last ticket that was served, so a reader of the end knows
 * whose ticket is next. A writer waits while those before it append, but no longer than they need.
 *
 * Tickets only delay puts. The condition of a put alone decides whether it extends the chain, so a
 * ticket that is lost, served twice or never used costs time and nothing else.
 */
export function createTickets({ table, clock, ends }: Deps) {
  let putMs = PUT_FIRST_MS;

  function join(life: Life): Line {
    const tickets = new Map<number, Ticket>();
    const races = new Set<number>();
    const needsTicket = (partition: number) =>
      races.has(partition) || isServing(ends.peek(life, partition), clock.now());

    async function waitIn(partition: number, deadline: number): Promise<void> {
      if (!tickets.has(partition) && !needsTicket(partition)) return;
      const number = tickets.get(partition)?.number ?? (await takeTicket(life, partition));
      if (number === undefined) return;
      const free = await waitFor(life, partition, number, deadline);
      tickets.set(partition, { number, free: free && !races.has(partition) });
    }

    return {
      tickets,
      lost: (partition) => void races.add(partition),
      async wait(partitions, deadline) {
        await Promise.all(Array.from(partitions, (partition) => waitIn(partition, deadline)));
      },
    };
  }

  /** If the table does not answer, the append continues without a ticket. */
  async function takeTicket(life: Life, partition: number): Promise<number | undefined> {
    const [ticket] = await Promise.all([
      table.checkpoints.takeTicket(life, partition).catch(() => undefined),
      look(life, partition),
    ]);
    return ticket;
  }

  /** A failed check has no other effect: the append itself will find the reason. */
  async function look(life: Life, partition: number): Promise<number | undefined> {
    const found = await ends.load(life, [partition], { contested: true }).catch(() => undefined);
    return found?.get(partition)?.ticket;
  }

  /**
   * Resolves when all tickets before this one are served, or overdue. Returns whether it was the
   * next one from the start.
   */
  async function waitFor(life: Life, partition: number, ticket: number, deadline: number) {
    let served = ends.peek(life, partition)?.ticket;
    let servedAt = clock.monotonic();
    let pausing = new AbortController();
    const free = aheadOf(ticket, served) === 0;
    const watch = async () => {
      const seen = await look(life, partition);
      if (seen === undefined || seen <= (served ?? 0)) return;
      served = seen;
      servedAt = clock.monotonic();
      pausing.abort();
    };
    for (let nowMs = servedAt; nowMs < deadline; nowMs = clock.monotonic()) {
      const ahead = aheadOf(ticket, served);
      if (ahead <= 0 || isOverdue(ahead, nowMs - servedAt, putMs)) return free;
      pausing = new AbortController();
      await clock.sleep(Math.min(pauseMs(ahead, putMs), deadline - nowMs), pausing.signal);
      if (!pausing.signal.aborted) void watch();
    }
    return free;
  }

  return {
    join,

    /** Records the duration of a put that has a verdict. */
    recordPut(tookMs: number): void {
      putMs = Math.max(PUT_MIN_MS, putMs + (tookMs - putMs) * SAMPLE_WEIGHT);
    },
  };
}
