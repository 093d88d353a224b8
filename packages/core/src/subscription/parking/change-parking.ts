import type { Clock } from "../../kernel/clock.ts";
import { again, retry } from "../../kernel/retry.ts";
import type { Log } from "../../log/log.ts";
import { chainIn, openEpoch } from "../../model/epochs.ts";
import { nothingParked } from "../../model/parking.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { LeaseGuard, OffsetRow } from "../../table/offset.entity.ts";
import type { Table } from "../../table/table.ts";
import { isInSnapshot } from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { type KeyState, type ParkingPlan, parkedIn } from "./parking-plan.ts";
import { changedByOthers, notParkable } from "./parking-problems.ts";

export type ParkingDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly subscriptions: Subscriptions;
  readonly observeParked: () => void;
};

const TRIES = 5;

/** Changes the parked keys of subscriptions, each partition by one write. */
export function createParkingChanges({ table, subscriptions }: ParkingDeps) {
  /** Returns the subscription with its current positions. Its row may be remembered. */
  const now = async (stream: LiveStream, name: string): Promise<SubscriptionState> =>
    subscriptions.refresh(stream, await subscriptions.recall(stream, name));

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

  return { now, change };
}

/** Returns the names by which the table finds a subscription. */
export const placeOf = ({ life }: LiveStream, { row: { uid } }: SubscriptionState) => {
  return { life, subscriptionUid: uid };
};

/**
 * Returns the partition whose row lists a key, or would: that of the epoch which the subscription
 * reads, unless its event is in a later one.
 */
export function rowOf(
  stream: LiveStream,
  { offsets }: SubscriptionState,
  key: string,
  partition: number,
): number {
  const listed = offsets.find((row) => parkedIn(row, key) !== undefined);
  return listed?.partition ?? Math.max(partition, chainIn(key, openEpoch(stream, offsets)));
}

/** Throws `not-parkable` while the subscription reads a snapshot. */
export function assertInLog({ bootstrap }: SubscriptionState): void {
  if (!isInSnapshot(bootstrap)) return;
  throw notParkable(
    "The subscription is reading a snapshot, which holds each key once. Commit the snapshot's end first.",
  );
}
