import type { Clock } from "../kernel/clock.ts";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import { nothingParked, type ParkedKey } from "../kernel/parked.ts";
import type { Position } from "../kernel/position.ts";
import type { Log } from "../log/log.ts";
import { partitionOf } from "../log/partition.ts";
import type { Entry } from "../log/read.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { LeaseGuard, OffsetRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import { matcherOf } from "./filter.ts";
import { type ParkingPlan, type Poison, parkedIn, planPark, planRelease } from "./parking-plan.ts";
import { type NextQueue, readQueue } from "./queue.ts";
import { isInSnapshot } from "./standing.ts";
import type { SubscriptionState } from "./state.ts";
import type { Subscriptions } from "./subscriptions.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly subscriptions: Subscriptions;
  readonly observeParked: () => void;
};

const TRIES = 5;

/**
 * Keys that are set aside: the events of a key that fails wait in their order, and everything else
 * flows. Nothing is copied; a queue is the log itself from the parked event on, so it lasts as long as
 * the log does.
 */
export function createParking({ table, clock, log, subscriptions, observeParked }: Deps) {
  const placeOf = ({ life }: LiveStream, { row: { uid } }: SubscriptionState) => {
    return { life, subscriptionUid: uid };
  };

  /** Parks the key of an event that a client names. Doing it twice is harmless. */
  async function park(
    stream: LiveStream,
    name: string,
    { sequence, key, reason }: { sequence: number; key?: string | undefined; reason: string },
  ): Promise<ParkedKey> {
    const state = await subscriptions.load(stream, name);
    assertInLog(state);
    const partition = partitionNamed(stream, key);
    const entry = await findEvent(stream, partition, sequence);
    if (key !== undefined && entry.event.key !== key) {
      throw invalidRequest("/key", `is not the key of event ${sequence}`);
    }
    if (matcherOf(state.row.config.filter)?.(entry.event) === false) {
      throw invalidRequest("/sequence", "names an event that the subscription's filter leaves out");
    }
    const known = state.offsets[partition];
    const before = known === undefined ? undefined : parkedIn(known, entry.event.key);
    const parked = await change(stream, state, partition, (row) => {
      const poison = { key: entry.event.key, batch: entry.batch, next: sequence };
      const plan = planPark(row, poison, { reason, nowMs: clock.now() });
      if (plan === "full") throw tooManyParked();
      return plan;
    });
    if (parked.id !== before?.id) observeParked();
    return parked;
  }

  /** Parks what has been delivered too often; false when it was changed by others meanwhile. */
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
   * Lets the events of a key flow again: all that wait, or all but the first. Answers how the key
   * stands then: undefined when it is free. What has been parked meanwhile is not released by a try
   * that is repeated.
   */
  async function release(
    stream: LiveStream,
    name: string,
    { key, how, sequence }: Release,
  ): Promise<ParkedKey | undefined> {
    let first: ParkedKey | undefined;
    const state = await subscriptions.load(stream, name);
    assertInLog(state);
    const partition = partitionOf(key, stream.partitions);
    const released = await change(stream, state, partition, async (row) => {
      const parked = parkedIn(row, key);
      // An earlier try has freed it, or somebody else: either way nothing of it waits.
      if (parked === undefined && first !== undefined) return unchanged(row);
      if (parked === undefined) throw parkedKeyNotFound();
      first ??= parked;
      if (first.id !== parked.id) throw changedByOthers();
      if (sequence !== undefined && sequence !== parked.next) throw otherIsFirst(parked.next);
      const earliest = await log.seekPartition(stream.life, partition, "earliest");
      const to = how === "retry" ? parked : behindFirst(parked, earliest);
      if (to.next < earliest.next) throw queueExpired();
      return planRelease(
        row,
        parked,
        to,
        await isEmptyFrom(stream, state, { row, parked, at: to }),
      );
    });
    log.bell.ring(stream.life);
    return released;
  }

  /** Whether nothing of a key lies between a place in its queue and what is committed. */
  async function isEmptyFrom(
    stream: LiveStream,
    { row: { config } }: SubscriptionState,
    queue: NextQueue,
  ): Promise<boolean> {
    const { row, parked, at } = queue;
    if (at.next >= row.next) return true;
    // What was parked lies there itself.
    if (at.next === parked.next && !parked.retrying) return false;
    const matches = matcherOf(config.filter);
    const page = await readQueue(log, stream, queue, { limit: 1, matches });
    return page?.ended === true && page.events.length === 0;
  }

  /** Changes a partition's parked keys by a plan, again when others were faster. */
  async function change<Key extends ParkedKey | undefined>(
    stream: LiveStream,
    state: SubscriptionState,
    partition: number,
    plan: (row: OffsetRow) => ParkingPlan<Key> | Promise<ParkingPlan<Key>>,
  ): Promise<Key> {
    const place = placeOf(stream, state);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const row = await table.parking.load(place, partition);
      if (row === undefined || row.generation !== state.generation) break;
      const { parking, key } = await plan(row);
      if (parking === row.parking) return key;
      const changed = await table.parking.change(place, row, parking);
      subscriptions.forget(stream, state.row.name);
      if (changed !== undefined) return key;
    }
    throw changedByOthers();
  }

  async function findEvent(
    { life, partitions }: LiveStream,
    partition: number,
    sequence: number,
  ): Promise<Entry> {
    const at = await log.seekPartition(life, partition, { sequence });
    const positions = Array.from({ length: partitions }, () => at);
    const room = { events: 1, bytes: Number.MAX_SAFE_INTEGER };
    const among = new Set([partition]);
    try {
      const { entries } = await log.read(life, positions, { room, turn: 0, among });
      const [entry] = entries;
      if (entry?.event.sequence === sequence) return entry;
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "retention-passed") throw error;
    }
    throw invalidRequest("/sequence", "names no event that the stream keeps");
  }

  return { park, parkPoison, release };
}

export type Parking = ReturnType<typeof createParking>;

type Release = {
  readonly key: string;
  readonly how: "retry" | "skip";
  /** Which event is meant to be the first of those that wait. */
  readonly sequence?: number | undefined;
};

/** Behind the first event of a queue; where the log no longer reaches back to it, at what is left. */
function behindFirst({ retrying, batch, next }: ParkedKey, earliest: Position): Position {
  if (retrying) throw notParkable("The key is being retried. Park it first, where it fails.");
  return earliest.next > next ? earliest : { batch, next: next + 1 };
}

const unchanged = ({ parking = nothingParked }: OffsetRow) => ({ parking, key: undefined });

/** Where every event has a number of its own, that number says which one is meant. */
function partitionNamed({ partitions }: LiveStream, key: string | undefined): number {
  if (partitions === 1) return 0;
  if (key === undefined) {
    throw invalidRequest("/key", "is needed on a stream with more than one partition");
  }
  return partitionOf(key, partitions);
}

function assertInLog({ bootstrap }: SubscriptionState): void {
  if (!isInSnapshot(bootstrap)) return;
  throw notParkable(
    "The subscription is reading a snapshot, which holds each key once. Commit the snapshot's end first.",
  );
}

const notParkable = (detail: string): LedgerError => new LedgerError("not-parkable", { detail });

const tooManyParked = (): LedgerError =>
  notParkable(
    "Too many keys are parked already for this one. Retry or skip some; GET .../parked lists them.",
  );

const otherIsFirst = (sequence: number): LedgerError =>
  new LedgerError("not-parkable", {
    detail: `Another event of the key is the first that waits: ${sequence}.`,
    facts: { sequence },
  });

const changedByOthers = (): LedgerError =>
  new LedgerError("outcome-unknown", {
    detail:
      "Others were changing this subscription at the same moment. GET .../parked says how the key stands.",
    retryAfterSeconds: 1,
  });

const parkedKeyNotFound = (): LedgerError =>
  new LedgerError("parked-key-not-found", {
    detail: "The key is not parked in this subscription. GET .../parked lists those that are.",
  });

const queueExpired = (): LedgerError =>
  new LedgerError("retention-passed", {
    detail:
      "The parked event is no longer kept, so it cannot be retried. Skip it to go on with what is left of its key.",
  });
