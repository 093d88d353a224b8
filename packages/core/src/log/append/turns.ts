import type { Clock } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import type { Table } from "../../table/table.ts";
import type { EndMemory } from "./end-memory.ts";
import { aheadOf, isOverdue, isServing, pauseMs, type Turn } from "./turn-plan.ts";

type Deps = {
  readonly table: { readonly checkpoints: Pick<Table["checkpoints"], "takeTurn"> };
  readonly clock: Clock;
  readonly ends: Pick<EndMemory, "load" | "peek">;
};

/** The first estimate of a put's latency, and the weight of each sample in the moving average. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const SAMPLE_WEIGHT = 0.1;

/** One append among the writers of its partitions, from its first attempt to its last. */
export type Line = {
  /** The turns that it has taken, by partition. */
  readonly turns: ReadonlyMap<number, Turn>;

  /**
   * Takes a turn in each partition where writers take turns, and waits for all of them, until
   * `deadline` on the monotonic clock at most. A turn that an earlier attempt took still counts.
   */
  wait(partitions: Iterable<number>, deadline: number): Promise<void>;

  /** A different writer was faster. */
  lost(partition: number): void;
};

/**
 * Lets writers that share nothing but the table append one after another, instead of racing for the
 * end. A writer that has lost a race increments a number in the partition's checkpoint. The result
 * is its turn. Each batch carries the last turn that was served, so a reader of the end knows whose
 * turn is next. A writer waits while those before it append, but no longer than they would need.
 *
 * Turns only delay puts. The condition of a put alone decides whether it extends the chain, so a
 * turn that is lost, served twice or never used costs time and nothing else.
 */
export function createTurns({ table, clock, ends }: Deps) {
  let putMs = PUT_FIRST_MS;

  function join(life: Life): Line {
    const turns = new Map<number, Turn>();
    const races = new Set<number>();
    const needsTurn = (partition: number) =>
      races.has(partition) || isServing(ends.peek(life, partition), clock.now());

    async function waitIn(partition: number, deadline: number): Promise<void> {
      if (!turns.has(partition) && !needsTurn(partition)) return;
      const number = turns.get(partition)?.number ?? (await takeTurn(life, partition));
      if (number === undefined) return;
      const free = await waitFor(life, partition, number, deadline);
      turns.set(partition, { number, free: free && !races.has(partition) });
    }

    return {
      turns,
      lost: (partition) => void races.add(partition),
      async wait(partitions, deadline) {
        await Promise.all(Array.from(partitions, (partition) => waitIn(partition, deadline)));
      },
    };
  }

  /** If the table does not answer, the append continues without a turn. */
  async function takeTurn(life: Life, partition: number): Promise<number | undefined> {
    const [turn] = await Promise.all([
      table.checkpoints.takeTurn(life, partition).catch(() => undefined),
      look(life, partition),
    ]);
    return turn;
  }

  /** A failed check has no other effect: the append itself will find the reason. */
  async function look(life: Life, partition: number): Promise<number | undefined> {
    const found = await ends.load(life, [partition], { contested: true }).catch(() => undefined);
    return found?.get(partition)?.turn;
  }

  /**
   * Resolves when all turns before this one are served, or overdue. Returns whether it was the next
   * one from the start.
   */
  async function waitFor(life: Life, partition: number, turn: number, deadline: number) {
    let served = ends.peek(life, partition)?.turn;
    let servedAt = clock.monotonic();
    let pausing = new AbortController();
    const free = aheadOf(turn, served) === 0;
    const watch = async () => {
      const seen = await look(life, partition);
      if (seen === undefined || seen <= (served ?? 0)) return;
      served = seen;
      servedAt = clock.monotonic();
      pausing.abort();
    };
    for (let nowMs = servedAt; nowMs < deadline; nowMs = clock.monotonic()) {
      const ahead = aheadOf(turn, served);
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
