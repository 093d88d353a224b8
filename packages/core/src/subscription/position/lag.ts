import type { Lag } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { createMemory } from "../../kernel/memory.ts";
import type { Log } from "../../log/log.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
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
  const memory = createMemory<{ lag: Lag; stamp: Stamp }>(clock, { ttlMs: MEMORY_MS });

  /**
   * Returns the lag of a subscription's committed offset. Before a snapshot starts, this is the lag
   * of compaction.
   */
  async function lag(stream: LiveStream, state: SubscriptionState): Promise<Lag> {
    const runs = (await positionsOf(stream, state)).map(runAt);
    return log.lag(stream.life, runs, stream.epochs);
  }

  /** Returns the lags of several subscriptions, in few requests. */
  async function lags(
    stream: LiveStream,
    states: readonly SubscriptionState[],
  ): Promise<readonly Lag[]> {
    const readers = states.map((state) => positionsOf(stream, state));
    return log.lags(stream.life, await Promise.all(readers), stream.epochs);
  }

  /** Before a snapshot starts, its positions are those of compaction. */
  const positionsOf = (stream: LiveStream, state: SubscriptionState): Promise<Position[]> =>
    Promise.all(
      progressOf(state).positions.map(
        async (position, partition) =>
          position ?? edgeAt(await log.compactedTo(stream.life, partition)),
      ),
    );

  /**
   * Returns the lag at the end of a snapshot, so that pages do not pay for it. The number of events
   * is at most a few seconds old. The age of the oldest event is current.
   */
  async function snapshotLag(stream: LiveStream, positions: readonly Position[]): Promise<Lag> {
    const name = `${stream.life}#${positions.map(({ next }) => next)}`;
    const known = memory.recall(name);
    if (known !== undefined) return agedBy(known.lag, ageMs(clock, known.stamp) / 1_000);
    const look = memory.look();
    const stamp = takeStamp(clock);
    const lag = await log.lag(stream.life, positions.map(runAt), stream.epochs);
    memory.learn(name, look, { lag, stamp });
    return lag;
  }

  return { lag, lags, snapshotLag };
}

const agedBy = (lag: Lag, seconds: number): Lag =>
  lag.events === 0 ? lag : { ...lag, seconds: lag.seconds + seconds };

const runAt = (position: Position) => ({ position, atEnd: false, nextPublishedAt: undefined });
