import { createBounded } from "../../kernel/bounded.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import type { Table } from "../../table/table.ts";
import type { EndMemory } from "./end-memory.ts";
import { aheadOf, CROWDED_MS, isOverdue, isServing, pauseMs } from "./turn-plan.ts";

type Deps = {
  readonly table: { readonly checkpoints: Pick<Table["checkpoints"], "takeTurn"> };
  readonly clock: Clock;
  readonly ends: Pick<EndMemory, "load" | "peek">;
};

/** The turns of an append, by partition. */
export type Turns = ReadonlyMap<number, number>;

const PARTITIONS_MAX = 10_000;
/** The first estimate of a put's latency, and the weight of each sample in the moving average. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const SAMPLE_WEIGHT = 0.1;

/**
 * Lets writers that share nothing but the table append one after another, instead of racing for the
 * end. A writer that met others counts up a number in the partition's checkpoint: that is its turn.
 * Each batch carries the last turn that was served, so a reader of the end knows whose turn
 * is next. A writer waits while those before it append, and no longer than they would need.
 *
 * Turns only delay puts. Whether a put extends the chain is decided by its condition alone, so a
 * turn that is lost, served twice or never used costs time and nothing else.
 */
export function createTurns({ table, clock, ends }: Deps) {
  /** When this process last met other writers, on the monotonic clock. */
  const met = createBounded<number>(PARTITIONS_MAX);
  let putMs = PUT_FIRST_MS;
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  const meet = (life: Life, partition: number): void =>
    met.set(nameOf(life, partition), clock.monotonic());

  const isCrowded = (life: Life, partition: number): boolean => {
    const atMs = met.get(nameOf(life, partition)) ?? Number.NEGATIVE_INFINITY;
    if (clock.monotonic() - atMs < CROWDED_MS) return true;
    return isServing(ends.peek(life, partition), clock.now());
  };

  /**
   * Takes a turn in each crowded partition, and waits for all of them, until `deadline` on the
   * monotonic clock at most. `held` are the turns of an append that lost a race nevertheless.
   */
  async function wait(
    life: Life,
    partitions: Iterable<number>,
    held: Turns,
    deadline: number,
  ): Promise<Turns> {
    const crowded = [...partitions].filter((partition) => isCrowded(life, partition));
    const turns = new Map(held);
    const waits = crowded.map(async (partition) => {
      const turn = held.get(partition) ?? (await takeTurn(life, partition));
      if (turn === undefined) return;
      turns.set(partition, turn);
      await waitFor(life, partition, turn, deadline);
    });
    await Promise.all(waits);
    return turns;
  }

  /** Without an answer of the table, the append goes on without a turn. */
  async function takeTurn(life: Life, partition: number): Promise<number | undefined> {
    const [turn] = await Promise.all([
      table.checkpoints.takeTurn(life, partition).catch(() => undefined),
      look(life, partition),
    ]);
    return turn;
  }

  /** An append that cannot look finds out why by itself. */
  async function look(life: Life, partition: number): Promise<number | undefined> {
    const found = await ends.load(life, [partition], { contested: true }).catch(() => undefined);
    return found?.get(partition)?.turn;
  }

  /** Resolves when all turns before this one are served, or overdue. */
  async function waitFor(life: Life, partition: number, turn: number, deadline: number) {
    let served = ends.peek(life, partition)?.turn;
    let servedAt = clock.monotonic();
    let pausing = new AbortController();
    const watch = async () => {
      const seen = await look(life, partition);
      if (seen === undefined || seen <= (served ?? 0)) return;
      served = seen;
      servedAt = clock.monotonic();
      pausing.abort();
    };
    for (let nowMs = servedAt; nowMs < deadline; nowMs = clock.monotonic()) {
      const ahead = aheadOf(turn, served);
      if (ahead <= 0 || isOverdue(ahead, nowMs - servedAt, putMs)) return;
      meet(life, partition);
      pausing = new AbortController();
      await clock.sleep(Math.min(pauseMs(ahead, putMs), deadline - nowMs), pausing.signal);
      if (!pausing.signal.aborted) void watch();
    }
  }

  return {
    wait,

    /** A different writer was faster. */
    meet,

    /** Records the duration of a put that has a verdict. */
    recordPut(tookMs: number): void {
      putMs = Math.max(PUT_MIN_MS, putMs + (tookMs - putMs) * SAMPLE_WEIGHT);
    },
  };
}
