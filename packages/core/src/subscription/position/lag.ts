import type { Lag } from "@eventledger/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { createMemory } from "../../kernel/memory.ts";
import type { Log } from "../../log/log.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/streams.ts";
import type { SubscriptionState } from "../state.ts";
import { progressOf } from "./progress.ts";

/** How long the lag at the start of a snapshot stays cached. */
const MEMORY_MS = 5_000;

/** Measures how far a subscription is from the end of the log. */
export function createSubscriptionLag({
  clock,
  log,
}: {
  readonly clock: Clock;
  readonly log: Log;
}) {
  const memory = createMemory<Lag>(clock, { ttlMs: MEMORY_MS });

  /**
   * Returns the lag of a subscription's committed offset. Before a snapshot starts, this is the lag
   * of compaction.
   */
  async function lag(stream: LiveStream, state: SubscriptionState): Promise<Lag> {
    const { positions } = progressOf(state);
    const runs = await Promise.all(
      positions.map(async (position, partition) =>
        runAt(position ?? edgeAt(await log.compactedTo(stream.life, partition))),
      ),
    );
    return log.lag(stream.life, runs);
  }

  /**
   * Returns the lag at the end of a snapshot, at most a few seconds old, so that pages do not pay
   * for it.
   */
  async function snapshotLag(stream: LiveStream, positions: readonly Position[]): Promise<Lag> {
    const name = `${stream.life}#${positions.map(({ next }) => next)}`;
    const known = memory.recall(name);
    if (known !== undefined) return known;
    const look = memory.look();
    const measured = await log.lag(stream.life, positions.map(runAt));
    memory.learn(name, look, measured);
    return measured;
  }

  return { lag, snapshotLag };
}

const runAt = (position: Position) => ({ position, atEnd: false, nextPublishedAt: undefined });
