import type { CursorContent } from "../../cursor/cursor.ts";
import { invalidRequest } from "../../kernel/error.ts";
import type { Entry } from "../../log/read/read-run.ts";
import { chainOfEvent } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import { nothingParked, type ParkedKey } from "../../model/parking.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { LeaseGuard, OffsetRow } from "../../table/offset.entity.ts";
import { matcherOf } from "../filter.ts";
import type { SubscriptionState } from "../state.ts";
import {
  assertInLog,
  createParkingChanges,
  type ParkingDeps,
  placeOf,
  rowOf,
} from "./change-parking.ts";
import { findEvent, partitionNamed } from "./find-event.ts";
import { type Poison, parkedIn, planPark } from "./parking-plan.ts";
import { tooManyParked } from "./parking-problems.ts";
import { readQueue } from "./queue.ts";

/** An event that a worker could not process, and the batch that contains it. */
type FailedEvent = {
  readonly event: StoredEvent;
  readonly batch: number;
  readonly reason: string;
};

/** Parks keys: those that a client or a worker names, and those that were delivered too often. */
export function createParks(deps: ParkingDeps) {
  const { table, clock, log, subscriptions, observeParked } = deps;
  const { now, change } = createParkingChanges(deps);

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

  return { park, parkAll, parkPoison };
}
