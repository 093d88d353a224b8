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
import type { OffsetRow } from "../../table/subscription.entity.ts";

/** What parking decides about, of a partition. */
export type ParkingRow = Pick<OffsetRow, "next" | "batch" | "parking">;

/** An event that is to be parked, and where it lies. */
export type Poison = Position & { readonly key: string };

/** The state of a key: parked, waiting for the position to pass what was skipped, or free. */
export type KeyState = ParkedKey | SkippedEvent | undefined;

/** What is parked after a change, and the state of its key then. */
export type ParkingPlan<Key extends KeyState = KeyState> = {
  readonly parking: Parking;
  readonly key: Key;
};

/**
 * Sets a key aside from an event on. A key that is parked from there or earlier stays as it is; one
 * whose queue is being delivered stops at the event, and what comes before it in the queue counts
 * as processed. Parking an event that was skipped takes that back. "full" when too many keys are
 * parked. Pure.
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
 * Lets the queue of a key flow from its beginning. One of which nothing lies before the committed
 * position is free at once: the log brings the rest. Pure.
 */
export function planRetry(row: ParkingRow, known: ParkedKey, isEmpty: boolean): ParkingPlan {
  const { parking = nothingParked } = row;
  if (isEmpty) return { parking: planFree(row, [known]), key: undefined };
  return known.retrying ? { parking, key: known } : release(parking, known, known);
}

/**
 * Lets a queue flow without its first event, from `to` on. When the position has not passed that
 * event, the key waits for the commit that does: a page from before may be committed still, and
 * what it has withheld or not processed comes as a queue then. "full" when too many keys wait for
 * that. Pure.
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
 * Keys of which an event was skipped that the position has not passed; nothing else of them waits.
 */
export const ghostsOf = ({ next, parking }: ParkingRow): readonly ParkedKey[] =>
  parking?.keys.filter((known) => known.retrying && known.next > next) ?? [];

/**
 * Frees keys of which nothing waits up to the committed position. What was skipped after it stays
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

/**
 * Whether what was read of a queue comes again: its key was parked or retried again since. Pure.
 */
export const isReadInVain = (
  { parking }: Pick<ParkingRow, "parking">,
  place: QueuePlace,
): boolean =>
  parking?.keys.some(({ was, next }) => was?.includes(place.id) === true && next < place.next) ??
  false;

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

/** The skipped events that the position has not passed, of keys that flow. */
export const pendingSkips = ({ next, parking }: ParkingRow): readonly SkippedEvent[] => {
  const { keys, skipped } = parking ?? nothingParked;
  return skipped.filter(
    ({ key, sequence }) => sequence >= next && keys.every((each) => each.key !== key),
  );
};

/** The event that a key waits to be passed by the position, if it does. */
const skippedOf = (
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
  freed: parking.freed + 1,
  keys: parking.keys.filter((each) => each.key !== key),
});

/**
 * All keys that are parked, by partition and then by when that was last changed; also those whose
 * skipped event the position has not passed.
 */
export const allParked = ({
  offsets,
}: {
  readonly offsets: readonly Pick<OffsetRow, "partition" | "parking" | "next" | "batch">[];
}) =>
  offsets.flatMap((row) => {
    const skipped = new Map(pendingSkips(row).map((each) => [each.key, each]));
    return [...(row.parking?.keys ?? []), ...skipped.values()]
      .toSorted((a, b) => a.id - b.id)
      .map((parked) => ({ partition: row.partition, id: parked.id, parked }));
  });
