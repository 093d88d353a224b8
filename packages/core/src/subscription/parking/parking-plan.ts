import { LIMITS } from "@eventledger/protocol";
import type { QueuePlace } from "../../cursor/cursor.ts";
import {
  type Delivered,
  nothingParked,
  type ParkedKey,
  type Parking,
  type SkippedEvent,
} from "../../model/parking.ts";
import type { Position } from "../../model/position.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";

/** The fields of a partition that parking decides about. */
export type ParkingRow = Pick<OffsetRow, "next" | "batch" | "parking">;

/** An event to park, and its position. */
export type Poison = Position & { readonly key: string };

/**
 * The state of a key: parked, waiting for the committed offset to pass a skipped event, or free.
 */
export type KeyState = ParkedKey | SkippedEvent | undefined;

/** The parked keys after a change, and the new state of the changed key. */
export type ParkingPlan<Key extends KeyState = KeyState> = {
  readonly parking: Parking;
  readonly key: Key;
};

/**
 * Parks a key from an event on. A key that is parked from there or earlier stays unchanged. If its
 * queue is being delivered, the queue stops at the event, and earlier events of the queue count as
 * processed. Parking a skipped event takes back the skip. "full" when too many keys are parked.
 * Pure.
 */
export function planPark(
  row: ParkingRow,
  { key, batch, next }: Poison,
  { reason, nowMs }: { reason: string; nowMs: number },
): ParkingPlan<ParkedKey> | "full" {
  const { parking = nothingParked } = row;
  const known = parkedIn({ parking }, key);
  const waiting = parking.keys.length - ghostsOf(row).length;
  if (known === undefined && waiting >= LIMITS.parkedKeysMax) return "full";
  if (known !== undefined && !known.retrying && known.next <= next) return { parking, key: known };
  const from = Math.min(known?.from ?? next, next);
  const id = parking.revision + 1;
  const was = known === undefined ? {} : formerOf(known);
  const parked = { id, ...was, key, from, batch, next, reason, parkedAt: nowMs, retrying: false };
  const left = known === undefined ? [] : skippedOf(row, known);
  const skipped = [...parking.skipped, ...left].filter(({ sequence }) => sequence !== next);
  return { parking: withKey({ ...parking, skipped }, parked), key: parked };
}

/**
 * Delivers the queue of a key from its beginning. A key without events before the committed offset
 * is free at once, because the log delivers the rest. Pure.
 */
export function planRetry(row: ParkingRow, known: ParkedKey, isEmpty: boolean): ParkingPlan {
  const { parking = nothingParked } = row;
  if (isEmpty) return { parking: planFree(row, [known]), key: undefined };
  return known.retrying ? { parking, key: known } : release(parking, known, known);
}

/**
 * Delivers a queue without its first event, starting at `to`. If the committed offset has not
 * passed that event, the key waits for the commit that passes it. A client may still commit an
 * earlier page. The events that the page withheld, or whose processing failed, are then delivered
 * as a queue. "full" when too many keys wait for such a commit. Pure.
 */
export function planSkip(
  row: ParkingRow,
  known: ParkedKey,
  { to, isEmpty }: { readonly to: Position; readonly isEmpty: boolean },
): ParkingPlan | "full" {
  const { parking = nothingParked } = row;
  const isPassed = to.next <= row.next;
  if (isPassed && isEmpty) return { parking: withoutKey(parking, known.key), key: undefined };
  const waiting = parking.skipped.length + ghostsOf(row).length;
  if (!isPassed && waiting >= LIMITS.parkedKeysMax) return "full";
  return release(parking, known, to);
}

/**
 * Returns the keys with a skipped event that the committed offset has not passed, and with no other
 * waiting event.
 */
export const ghostsOf = ({ next, parking }: ParkingRow): readonly ParkedKey[] =>
  parking?.keys.filter((known) => known.retrying && known.next > next) ?? [];

/**
 * Frees keys that have no waiting events up to the committed offset. A skipped event after it stays
 * left out. Pure.
 */
export const planFree = (
  { parking = nothingParked, next }: ParkingRow,
  keys: readonly ParkedKey[],
): Parking =>
  keys.reduce<Parking>((rest, known) => {
    const free = withoutKey(rest, known.key);
    return { ...free, skipped: [...free.skipped, ...skippedOf({ next }, known)] };
  }, parking);

/**
 * Commits the progress in a queue. The key is free once that reaches the committed offset of the
 * partition. Undefined when the place belongs to an earlier retry, or was committed before. Pure.
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

/**
 * Returns whether a page of a queue will be redelivered, because its key was parked or retried
 * since then. Pure.
 */
export const isReadInVain = (
  { parking }: Pick<ParkingRow, "parking">,
  place: QueuePlace,
): boolean =>
  parking?.keys.some(({ was, next }) => was?.includes(place.id) === true && next < place.next) ??
  false;

/** Records a delivery of a queue's beginning. The same retry continues. Pure. */
export function planDelivered(
  { parking = nothingParked }: ParkingRow,
  id: number,
  delivered: Delivered,
): Parking | undefined {
  const known = parking.keys.find((each) => each.id === id);
  return known === undefined ? undefined : withKey(parking, { ...known, delivered });
}

/**
 * Carries parked keys from a partition of an epoch whose events are all committed to their
 * partition of the next epoch. Their queues still begin where they did, and the row of the later
 * partition now guards what is withheld there. Carries as many as the row has room for. Pure.
 */
export function planCarry(
  { parking: from = nothingParked }: Pick<ParkingRow, "parking">,
  { parking: to = nothingParked }: Pick<ParkingRow, "parking">,
  isCarried: (key: string) => boolean,
): { readonly from: Parking; readonly to: Parking } | undefined {
  const known = new Set(to.keys.map(({ key }) => key));
  const wanted = from.keys.filter(({ key }) => isCarried(key));
  const isRoom = wanted.filter(({ key }) => !known.has(key));
  const room = new Set(isRoom.slice(0, Math.max(0, LIMITS.parkedKeysMax - to.keys.length)));
  const carried = wanted.filter((each) => known.has(each.key) || room.has(each));
  if (carried.length === 0) return undefined;
  const names = new Set(carried.map(({ key }) => key));
  const moved = carried.map(({ was: _, ...each }, at) => {
    const id = to.revision + 1 + at;
    // Parked again in the later partition: all of its events wait.
    return known.has(each.key) ? { ...each, id, retrying: false } : { ...each, id };
  });
  return {
    from: {
      ...from,
      revision: from.revision + 1,
      keys: from.keys.filter(({ key }) => !names.has(key)),
      skipped: from.skipped.filter(({ key }) => !names.has(key)),
    },
    to: {
      ...to,
      revision: to.revision + carried.length,
      keys: [...to.keys.filter(({ key }) => !names.has(key)), ...moved],
      skipped: [...to.skipped, ...from.skipped.filter(({ key }) => names.has(key))],
    },
  };
}

/** Returns how a key is parked, if it is. */
export const parkedIn = ({ parking }: Pick<OffsetRow, "parking">, key: string) =>
  parking?.keys.find((each) => each.key === key);

/** Returns the skipped events of keys that flow, if the committed offset has not passed them. */
export const pendingSkips = ({ next, parking }: ParkingRow): readonly SkippedEvent[] => {
  const { keys, skipped } = parking ?? nothingParked;
  return skipped.filter(
    ({ key, sequence }) => sequence >= next && keys.every((each) => each.key !== key),
  );
};

/** Returns the skipped event that a key waits for the committed offset to pass, if there is one. */
export const skippedOf = (
  { next }: Pick<ParkingRow, "next">,
  { retrying, id, key, reason, parkedAt, next: after }: ParkedKey,
): readonly SkippedEvent[] =>
  retrying && after > next ? [{ id, key, sequence: after - 1, reason, parkedAt }] : [];

const release = (
  parking: Parking,
  { delivered: _, ...known }: ParkedKey,
  { batch, next }: Position,
): ParkingPlan<ParkedKey> => {
  const id = parking.revision + 1;
  const key = { ...known, ...formerOf(known), batch, next, retrying: true, id };
  return { parking: withKey(parking, key), key };
};

const FORMER_MAX = 8;

const formerOf = ({ id, was = [] }: ParkedKey): Pick<ParkedKey, "was"> => ({
  was: [...was, id].slice(-FORMER_MAX),
});

const withKey = (parking: Parking, parked: ParkedKey): Parking => ({
  ...parking,
  revision: parking.revision + 1,
  keys: [...parking.keys.filter(({ key }) => key !== parked.key), parked],
});

const withoutKey = (parking: Parking, key: string): Parking => ({
  ...parking,
  revision: parking.revision + 1,
  releaseCount: parking.releaseCount + 1,
  keys: parking.keys.filter((each) => each.key !== key),
});

/**
 * Returns all parked keys, by partition and then by the time of their last change. This includes
 * keys with a skipped event that the committed offset has not passed.
 */
export const allParked = ({
  offsets,
}: {
  readonly offsets: readonly Pick<OffsetRow, "partition" | "parking" | "next" | "batch">[];
}) =>
  offsets.flatMap((row) => {
    const skipped = new Map(pendingSkips(row).map((each) => [each.key, each]));
    const keys = (row.parking?.keys ?? []).map((known) => skippedOf(row, known)[0] ?? known);
    return [...keys, ...skipped.values()]
      .toSorted((a, b) => a.id - b.id)
      .map((parked) => ({ partition: row.partition, id: parked.id, parked }));
  });
