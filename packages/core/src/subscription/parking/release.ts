import { isDrained, startOfChain } from "../../model/epochs.ts";
import { nothingParked, type ParkedKey } from "../../model/parking.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { matcherOf } from "../filter.ts";
import type { SubscriptionState } from "../state.ts";
import { assertInLog, createParkingChanges, type ParkingDeps, rowOf } from "./change-parking.ts";
import { type KeyState, parkedIn, planRetry, planSkip } from "./parking-plan.ts";
import { changedByOthers, queueExpired, tooManySkipped } from "./parking-problems.ts";
import { type NextQueue, queueRange, readQueue } from "./queue.ts";
import { afterFirst, isDone, pendingSkip, type Release, unchanged } from "./release-plan.ts";

/** Delivers the waiting events of parked keys again. */
export function createReleases(deps: ParkingDeps) {
  const { log, subscriptions } = deps;
  const { now, change } = createParkingChanges(deps);

  /**
   * Delivers the waiting events of a key: all of them, or all but the first. Returns the state of
   * the key, undefined when it is free. A repeated request does not release a key that was parked
   * in the meantime. If the beginning of a queue is no longer kept, only a skip can continue it,
   * also during a retry.
   */
  async function release(stream: LiveStream, name: string, request: Release): Promise<KeyState> {
    const { key, how } = request;
    let first: ParkedKey | undefined;
    const state = await subscriptions.load(stream, name);
    assertInLog(state);
    const partition = rowOf(stream, state, key, 0);
    const released = await change(stream, state, { partition }, async (row) => {
      const parked = parkedIn(row, key);
      // An earlier attempt or another request has freed the key. In both cases none of its events
      // wait.
      if (parked === undefined && first !== undefined) return unchanged(row, undefined);
      if (parked === undefined) return unchanged(row, pendingSkip(row, request));
      first ??= parked;
      if (first.id !== parked.id) return changedByOthers();
      if (isDone(row, parked, request)) return unchanged(row, parked);
      const earliest = await earliestOf(stream, { key, from: parked.next, partition });
      const to = how === "retry" ? parked : afterFirst(parked, earliest);
      if (to.next < earliest.next) throw queueExpired();
      const isEmpty = await isEmptyFrom(stream, state, { row, parked, at: to });
      if (how === "retry") return planRetry(row, parked, isEmpty);
      const plan = planSkip(row, parked, { to, isEmpty });
      if (plan === "full") throw tooManySkipped();
      return plan;
    });
    log.notifier.notify(stream.life);
    return released;
  }

  /**
   * Delivers the waiting events of several keys, with one write for each partition. Returns the
   * keys that are no longer parked. The others need a `release`, which says why: they are not
   * parked, or the beginning of their queue is no longer kept.
   */
  async function retryAll(
    stream: LiveStream,
    name: string,
    keys: readonly string[],
  ): Promise<ReadonlySet<string>> {
    const state = await now(stream, name);
    assertInLog(state);
    const released = new Set<string>();
    const kept = new Map<number, Promise<Position>>();
    const before = new Map<string, number>();
    const partitions = Map.groupBy(keys, (key) => rowOf(stream, state, key, 0));
    for (const [partition, some] of partitions) {
      await change(stream, state, { partition }, async (row) => {
        let { parking = nothingParked } = row;
        for (const key of some) {
          const parked = parkedIn({ parking }, key);
          if (parked === undefined) continue;
          const { next, id } = parked;
          if (!before.has(key)) before.set(key, id);
          // Another request has parked the key again in the meantime.
          if (before.get(key) !== id) continue;
          const earliest = await earliestOf(stream, { key, from: next, partition }, kept);
          if (next < earliest.next) continue;
          const isEmpty = !parked.retrying && next >= row.next;
          ({ parking } = planRetry({ ...row, parking }, parked, isEmpty));
          released.add(key);
        }
        return { parking, key: undefined };
      });
    }
    log.notifier.notify(stream.life);
    return released;
  }

  /** Returns whether a key has no events between a place in its queue and the committed offset. */
  async function isEmptyFrom(
    stream: LiveStream,
    { row: { config } }: SubscriptionState,
    queue: NextQueue,
  ): Promise<boolean> {
    const { row, parked, at } = queue;
    if (at.next >= row.next) return true;
    // The parked event itself is at that place, so the queue is not empty.
    if (at.next === parked.next && !parked.retrying) return false;
    const matches = matcherOf(config.filter);
    const page = await readQueue(log, stream, queue, { limit: 1, matches });
    return page?.ended === true && page.events.length === 0;
  }

  /**
   * Returns the first kept place of a queue that begins at `from`, up to the partition that lists
   * its key. That is `from` while nothing of the queue has expired. `known` keeps the first kept
   * places of partitions, for several queues.
   */
  async function earliestOf(
    stream: LiveStream,
    { key, from, partition }: Queue,
    known = new Map<number, Promise<Position>>(),
  ): Promise<Position> {
    const { chains } = queueRange(stream, partition, key, edgeAt(from));
    let isLost = false;
    let place = edgeAt(from);
    for (const chain of chains) {
      const looking = known.get(chain) ?? log.seekPartition(stream.life, chain, "earliest");
      known.set(chain, looking);
      const kept = await looking;
      // The queue begins in the first partition. It has all events of the later ones.
      const begin = chain === chains[0] ? from : startOfChain(stream, chain);
      isLost ||= begin < kept.next;
      place = edgeAt(Math.max(begin, kept.next));
      if (!isDrained(stream, chain, place)) break;
    }
    return isLost ? place : edgeAt(from);
  }

  return { release, retryAll, earliestOf };
}

/** A queue of a key that `partition` lists. `from` is the sequence at which it begins. */
type Queue = { readonly key: string; readonly from: number; readonly partition: number };
