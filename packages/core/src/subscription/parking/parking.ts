import type { CursorContent } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { invalidRequest } from "../../kernel/error.ts";
import { again, retry } from "../../kernel/retry.ts";
import type { Log } from "../../log/log.ts";
import type { Entry } from "../../log/read/read-run.ts";
import { chainIn, chainOfEvent, isDrained, openEpoch, startOfChain } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import { nothingParked, type ParkedKey } from "../../model/parking.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { LeaseGuard, OffsetRow } from "../../table/offset.entity.ts";
import type { Table } from "../../table/table.ts";
import { matcherOf } from "../filter.ts";
import { isInSnapshot } from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { findEvent, partitionNamed } from "./find-event.ts";
import {
  type KeyState,
  type ParkingPlan,
  type Poison,
  parkedIn,
  planPark,
  planRetry,
  planSkip,
} from "./parking-plan.ts";
import {
  changedByOthers,
  notParkable,
  queueExpired,
  tooManyParked,
  tooManySkipped,
} from "./parking-problems.ts";
import { type NextQueue, queueRange, readQueue } from "./queue.ts";
import { afterFirst, isDone, pendingSkip, type Release, unchanged } from "./release-plan.ts";

/** An event that a worker could not process, and the batch that contains it. */
export type FailedEvent = {
  readonly event: StoredEvent;
  readonly batch: number;
  readonly reason: string;
};

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly subscriptions: Subscriptions;
  readonly observeParked: () => void;
};

const TRIES = 5;

/**
 * Parks keys. The events of a failing key wait in their order, and all other events flow. Nothing
 * is copied: a queue is the log itself from the parked event on, so it lasts as long as the log
 * does.
 */
export function createParking({ table, clock, log, subscriptions, observeParked }: Deps) {
  const placeOf = ({ life }: LiveStream, { row: { uid } }: SubscriptionState) => {
    return { life, subscriptionUid: uid };
  };

  /** Returns the subscription with its current positions. Its row may be remembered. */
  const now = async (stream: LiveStream, name: string): Promise<SubscriptionState> =>
    subscriptions.refresh(stream, await subscriptions.recall(stream, name));

  /** Parks the key of an event that a client names. Repeating the call is harmless. */
  async function park(
    stream: LiveStream,
    name: string,
    { sequence, key, reason }: { sequence: number; key?: string | undefined; reason: string },
  ): Promise<ParkedKey> {
    const state = await subscriptions.load(stream, name);
    assertInLog(state);
    const found = partitionNamed(stream, { key, sequence });
    const entry = await findEvent(log, stream, { partition: found, sequence });
    if (key !== undefined && entry.event.key !== key) {
      throw invalidRequest("/key", `is not the key of event ${sequence}`);
    }
    if (matcherOf(state.row.config.filter)?.(entry.event) === false) {
      throw invalidRequest("/sequence", "names an event that the subscription's filter leaves out");
    }
    const partition = rowOf(stream, state, entry.event.key, found);
    const known = state.offsets[partition];
    const before = known === undefined ? undefined : parkedIn(known, entry.event.key);
    const parked = await change(stream, state, { partition }, async (row) => {
      const poison = await poisonIn(stream, state, row, entry);
      const plan = planPark(row, poison, { reason, nowMs: clock.now() });
      if (plan === "full") throw tooManyParked();
      return plan;
    });
    if (parked.id !== before?.id) observeParked();
    return parked;
  }

  /**
   * Parks the keys of events that failed in a page of a worker, with one write for each partition.
   * The fencing `tokens` of the page are its condition: nothing is parked in a partition that a
   * different worker has taken over. Returns the keys for which there is no room.
   */
  async function parkAll(
    stream: LiveStream,
    name: string,
    failed: readonly FailedEvent[],
    tokens: CursorContent["tokens"] = [],
  ): Promise<ReadonlySet<string>> {
    const state = await now(stream, name);
    assertInLog(state);
    const without = new Set<string>();
    const partitions = Map.groupBy(failed, ({ event }) =>
      rowOf(stream, state, event.key, chainOfEvent(stream, event)),
    );
    for (const [partition, some] of partitions) {
      const guard = subscriptions.guardOf({ tokens }, state.row, partition);
      let count = 0;
      await change(stream, state, { partition, guard }, async (row) => {
        let { parking = nothingParked } = row;
        count = 0;
        for (const { event, batch, reason } of some) {
          const present = { ...row, parking };
          const poison = await poisonIn(stream, state, present, { event, batch });
          const plan = planPark(present, poison, { reason, nowMs: clock.now() });
          if (plan === "full") without.add(event.key);
          else ({ parking } = plan);
          if (plan !== "full") count++;
        }
        return { parking, key: undefined };
      });
      for (let parked = 0; parked < count; parked++) observeParked();
    }
    return without;
  }

  /**
   * Finds the place from which to park a key. An event after the committed offset was never part of
   * a queue that is being retried, so it is no proof that earlier events of the queue are
   * processed. The whole queue then waits.
   */
  async function poisonIn(
    stream: LiveStream,
    { row: { config } }: SubscriptionState,
    row: OffsetRow,
    { event: { key, sequence }, batch }: Pick<Entry, "event" | "batch">,
  ): Promise<Poison> {
    const parked = parkedIn(row, key);
    const poison = { key, batch, next: sequence };
    const isQueued = parked?.retrying === true && parked.next <= sequence;
    if (!isQueued || sequence < row.next) return poison;
    const queue = { row: { ...row, next: sequence }, parked, at: parked };
    const page = await readQueue(log, stream, queue, {
      limit: 1,
      matches: matcherOf(config.filter),
    });
    if (page === undefined) return { key, batch: parked.batch, next: parked.next };
    const { batch: at, next } = page.first ?? (page.ended ? poison : page.place);
    return { key, batch: at, next };
  }

  /**
   * Parks an event that was delivered too often. Returns false when another request has changed it
   * in the meantime.
   */
  async function parkPoison(
    stream: LiveStream,
    state: SubscriptionState,
    row: OffsetRow,
    { poison, reason, guard }: { poison: Poison; reason: string; guard: LeaseGuard },
  ): Promise<boolean> {
    const plan = planPark(row, poison, { reason, nowMs: clock.now() });
    if (plan === "full" || plan.parking === row.parking) return false;
    const how = { guard, recount: true };
    const changed = await table.parking.change(placeOf(stream, state), row, plan.parking, how);
    if (changed !== undefined) observeParked();
    return changed !== undefined;
  }

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

  /** Changes a partition's parked keys by a plan. It retries when another process was faster. */
  async function change<Key extends KeyState>(
    stream: LiveStream,
    state: SubscriptionState,
    { partition, guard }: { readonly partition: number; readonly guard?: LeaseGuard },
    plan: (row: OffsetRow) => ParkingPlan<Key> | Promise<ParkingPlan<Key>>,
  ): Promise<Key> {
    const place = placeOf(stream, state);
    return retry<Key>({ tries: TRIES, giveUp: changedByOthers }, async (attempt) => {
      // The state was read just now. The condition of the write says whether it still holds.
      const known = attempt === 0 ? state.offsets[partition] : undefined;
      const row = known ?? (await table.parking.load(place, partition));
      if (row === undefined || row.generation !== state.generation) return changedByOthers();
      const { parking, key } = await plan(row);
      if (parking === (row.parking ?? nothingParked)) return key;
      const how = guard === undefined ? {} : { guard };
      const changed = await table.parking.change(place, row, parking, how);
      subscriptions.forget(stream, state.row.name);
      return changed === undefined ? again() : key;
    });
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

  return { park, parkAll, parkPoison, release, retryAll, earliestOf };
}

/**
 * Returns the partition whose row lists a key, or would: that of the epoch which the subscription
 * reads, unless its event is in a later one.
 */
function rowOf(
  stream: LiveStream,
  { offsets }: SubscriptionState,
  key: string,
  partition: number,
): number {
  const listed = offsets.find((row) => parkedIn(row, key) !== undefined);
  return listed?.partition ?? Math.max(partition, chainIn(key, openEpoch(stream, offsets)));
}

/** A queue of a key that `partition` lists. `from` is the sequence at which it begins. */
type Queue = { readonly key: string; readonly from: number; readonly partition: number };

export type Parking = ReturnType<typeof createParking>;

function assertInLog({ bootstrap }: SubscriptionState): void {
  if (!isInSnapshot(bootstrap)) return;
  throw notParkable(
    "The subscription is reading a snapshot, which holds each key once. Commit the snapshot's end first.",
  );
}
