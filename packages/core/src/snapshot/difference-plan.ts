import { LIMITS } from "@eventledger/protocol";
import { eventOf } from "../compaction/compacted-event.ts";
import { ADDED_BYTES } from "../log/read/page-cut.ts";
import { type Change, tombstoneOf } from "../model/change.ts";
import type { StoredEvent } from "../model/event.ts";
import type { CompactedRow } from "../table/compacted-row.ts";

/** A change of `partition`, and the row that its key has now. */
type Found = {
  readonly partition: number;
  readonly change: Change;
  readonly row: CompactedRow | undefined;
};

/**
 * Returns the event that a difference delivers for a change: the state of the key, or its deletion,
 * if the change is still the last one of the key. A later change is in the list, too, or in the log
 * after the snapshot. The row of a deleted key is removed some days later. Pure.
 */
function eventOfChange({ partition, change, row }: Found): StoredEvent | undefined {
  const { sequence, deletion } = change;
  const isLast = row === undefined || (row.partition === partition && row.sequence === sequence);
  if (!isLast) return undefined;
  if (deletion !== undefined) return tombstoneOf(change, deletion);
  return row === undefined || row.deleted === true ? undefined : eventOf(row);
}

/** The remaining capacity of a page. `looks` is the number of rows that it may still read. */
type DifferenceRoom = {
  readonly events: number;
  readonly bytes: number;
  readonly looks: number;
};

export const isFull = ({ events, bytes, looks }: DifferenceRoom): boolean =>
  events <= 0 || bytes <= 0 || looks <= 0;

/**
 * A page that is being filled. `exactFrom` is where each partition continues after the states that
 * the page, and the pages before it, have shown.
 */
export type DifferencePage = {
  readonly events: StoredEvent[];
  readonly exactFrom: number[];
  room: DifferenceRoom;
};

export const emptyPage = (limit: number, exactFrom: readonly number[]): DifferencePage => ({
  events: [],
  exactFrom: [...exactFrom],
  room: { events: limit, bytes: LIMITS.pageBytesMax, looks: LOOKS_MAX },
});

/** Adds a change to a page, unless `matches` rejects it. Returns false if it does not fit. */
export function takeChange(
  page: DifferencePage,
  found: Found,
  matches: ((event: StoredEvent) => boolean) | undefined,
): boolean {
  const { events, exactFrom } = page;
  const { row } = found;
  const event = eventOfChange(found);
  const isWanted = event !== undefined && (matches?.(event) ?? true);
  const rest = isWanted ? withEvent(page.room, row, { isEmpty: events.length === 0 }) : page.room;
  if (rest === undefined) return false;
  if (isWanted) events.push(event);
  page.room = { ...rest, looks: rest.looks - 1 };
  if (row !== undefined) {
    exactFrom[row.partition] = Math.max(exactFrom[row.partition] ?? 1, row.sequence + 1);
  }
  return true;
}

/** The number of rows that a page reads before it ends, even if it delivers none of them. */
const LOOKS_MAX = 2_000;
const AT_ONCE_MAX = 100;
const AT_ONCE_FIRST = 50;

/** Returns how many rows to read next, by the size of those in the page. Pure. */
export function planLooks({ events, bytes, looks }: DifferenceRoom, limit: number): number {
  const taken = limit - events;
  const average = taken === 0 ? undefined : (LIMITS.pageBytesMax - bytes) / taken;
  const fitting = average === undefined ? AT_ONCE_FIRST : Math.ceil(bytes / average);
  return Math.max(0, Math.min(events, looks, AT_ONCE_MAX, Math.max(1, fitting)));
}

/** Returns the room after an event, or undefined if it does not fit. An empty page has room. */
function withEvent(
  room: DifferenceRoom,
  row: CompactedRow | undefined,
  { isEmpty }: { readonly isEmpty: boolean },
): DifferenceRoom | undefined {
  const size = (row?.rawBytes ?? 0) + ADDED_BYTES;
  if (size > room.bytes && !isEmpty) return undefined;
  return { ...room, events: room.events - 1, bytes: room.bytes - size };
}
