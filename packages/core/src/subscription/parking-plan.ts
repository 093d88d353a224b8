import { LIMITS } from "@eventledger/protocol";
import type { QueuePlace } from "../cursor/cursor.ts";
import { type Delivered, nothingParked, type ParkedKey, type Parking } from "../kernel/parked.ts";
import type { Position } from "../kernel/position.ts";
import type { OffsetRow } from "../table/subscription.entity.ts";

/** What parking decides about, of a partition. */
export type ParkingRow = Pick<OffsetRow, "next" | "batch" | "parking">;

/** An event that is to be parked, and where it lies. */
export type Poison = Position & { readonly key: string };

/** What is parked after a change, and how the key it is about stands then: undefined when it is free. */
export type ParkingPlan<Key extends ParkedKey | undefined = ParkedKey | undefined> = {
  readonly parking: Parking;
  readonly key: Key;
};

/**
 * Sets a key aside from an event on. A key that is parked from there or earlier stays as it is; one
 * whose queue is being delivered stops at the event, and what comes before it in the queue counts as
 * processed. "full" when too many keys are parked. Pure.
 */
export function planPark(
  { parking = nothingParked }: ParkingRow,
  { key, batch, next }: Poison,
  { reason, nowMs }: { reason: string; nowMs: number },
): ParkingPlan<ParkedKey> | "full" {
  const known = parkedIn({ parking }, key);
  if (known === undefined && parking.keys.length >= LIMITS.parkedKeysMax) return "full";
  if (known !== undefined && !known.retrying && known.next <= next) return { parking, key: known };
  const from = Math.min(known?.from ?? next, next);
  const id = parking.revision + 1;
  const parked = { id, key, from, batch, next, reason, parkedAt: nowMs, retrying: false };
  return { parking: withKey(parking, parked), key: parked };
}

/**
 * Lets the queue of a key flow from `to` on, which is its beginning, or behind that when an event is
 * skipped. A queue of which nothing lies before the committed position is free at once: the log brings
 * the rest. Pure.
 */
export function planRelease(
  row: ParkingRow,
  { delivered: _, ...known }: ParkedKey,
  { batch, next }: Position,
  isEmpty: boolean,
): ParkingPlan {
  const { parking = nothingParked } = row;
  // What was skipped and is not committed yet must go on being withheld until it is.
  const isWhole = next === known.from || next <= row.next;
  if (isEmpty && isWhole) return { parking: withoutKey(parking, known.key), key: undefined };
  const released = { ...known, batch, next, retrying: true, id: parking.revision + 1 };
  return { parking: withKey(parking, released), key: released };
}

/**
 * Commits how far a queue was read. When that is as far as the partition is committed, the key is
 * free. Undefined when the place is of an earlier try, or was there already. Pure.
 */
export function planProgress(row: ParkingRow, place: QueuePlace): Parking | undefined {
  const { parking = nothingParked } = row;
  const known = parking.keys.find(({ id }) => id === place.id);
  if (known === undefined || !known.retrying) return undefined;
  if (place.next >= row.next) return withoutKey(parking, known.key);
  if (place.next <= known.next) return undefined;
  const { delivered: _, ...rest } = known;
  const { batch, next } = place;
  return withKey(parking, { ...rest, batch, next, from: next });
}

/** Notes a delivery of a queue's beginning; the same try goes on. Pure. */
export function planDelivered(
  { parking = nothingParked }: ParkingRow,
  id: number,
  delivered: Delivered,
): Parking | undefined {
  const known = parking.keys.find((each) => each.id === id);
  return known === undefined ? undefined : withKey(parking, { ...known, delivered });
}

/** How a key is parked, if it is. */
export const parkedIn = ({ parking }: Pick<OffsetRow, "parking">, key: string) =>
  parking?.keys.find((each) => each.key === key);

const withKey = (parking: Parking, parked: ParkedKey): Parking => ({
  ...parking,
  revision: parking.revision + 1,
  keys: [...parking.keys.filter(({ key }) => key !== parked.key), parked],
});

const withoutKey = (parking: Parking, key: string): Parking => ({
  revision: parking.revision + 1,
  freed: parking.freed + 1,
  keys: parking.keys.filter((each) => each.key !== key),
});
