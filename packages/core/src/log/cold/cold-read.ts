import type { Archived } from "../../model/archive.ts";
import type { StoredEvent } from "../../model/event.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { type LostRange, lostUntil } from "../../model/restored.ts";
import type { Segment } from "../../table/segment.entity.ts";
import type { Table } from "../../table/table.ts";
import { isPast, type PartitionBound, type Room } from "../read/read-plan.ts";
import { BLOCK_RAW_BYTES, type ColdEvent } from "./blocks.ts";
import type { OpenSegment, Place, Segments } from "./segments.ts";

/** A partition, with its checkpoint. */
export type ColdChain = Place & Archived & { readonly lost?: readonly LostRange[] };

export type ColdRun = {
  readonly events: readonly StoredEvent[];
  readonly position: Position;
  readonly room: Room;
  /**
   * Why the run ends:
   * - `room`: the page is full, or has read enough segments
   * - `bound`: the next event is past the bound
   * - `reached`: it has reached the floor, or the end of an archive that stopped before it
   * - `missing`: there is no segment, or no object, for the position
   */
  readonly stop: "room" | "bound" | "reached" | "missing";
  /** The publication time of the first event after the run, if the run has seen it. */
  readonly nextPublishedAt: number | undefined;
};

type Limits = { readonly room: Room; readonly bound: PartitionBound };

/** A page reads at most this many ranges of objects. Segments of an hour may be small. */
const READS_MAX = 8;

/**
 * Reads a run of events from the archive, from a position up to the floor. It inflates the block
 * that contains the position and as many others as the page has room for, whatever the size of the
 * segments. Numbers that a restore has lost belong to no event, even if a segment from before the
 * restore has some.
 */
export async function readCold(
  segments: Segments,
  chain: ColdChain,
  from: number,
  limits: Limits,
): Promise<ColdRun> {
  const events: StoredEvent[] = [];
  const end = Math.min(chain.floor, chain.archivedTo ?? 0);
  let { room } = limits;
  let next = from;
  const stopAt = (stop: ColdRun["stop"], nextPublishedAt?: number): ColdRun => ({
    events,
    position: edgeAt(next),
    room,
    stop,
    nextPublishedAt,
  });
  for (let reads = 0; ; reads++) {
    next = lostUntil(chain.lost, next);
    if (next >= end) return stopAt("reached");
    if (next >= limits.bound.next) return stopAt("bound");
    if (room.events === 0 || reads === READS_MAX) return stopAt("room");
    const segment = await segments.find(chain, next);
    if (segment === undefined) return stopAt("missing");
    const range = blocksFor(segment, next, room);
    const read = await segments.read(chain, segment, range.from, range.to);
    if (read === undefined) {
      // An erasure may have replaced the object since its row was read.
      const again = await segments.find(chain, next);
      if (again === undefined || again.object === segment.object) return stopAt("missing");
      continue;
    }
    const present = read.filter(({ event }) => isKept(chain, event));
    const taken = takeEvents(present, next, { ...limits, room });
    for (const event of taken.events) events.push(event);
    room = taken.room;
    if (taken.stop !== undefined) {
      next = taken.stop.event.sequence;
      return stopAt(taken.stop.why, taken.stop.event.publishedAt);
    }
    next = segment.index[range.to]?.first ?? segment.next;
  }
}

const isKept = ({ lost }: ColdChain, { sequence }: StoredEvent): boolean =>
  lostUntil(lost, sequence) === sequence;

type Taken = {
  readonly events: readonly StoredEvent[];
  readonly room: Room;
  readonly stop: { readonly why: "room" | "bound"; readonly event: StoredEvent } | undefined;
};

/** Takes events from `next` on, up to the bound and while there is room. Pure. */
function takeEvents(read: readonly ColdEvent[], next: number, { room, bound }: Limits): Taken {
  const events: StoredEvent[] = [];
  let left = room;
  for (const { event, bytes } of read) {
    if (event.sequence < next) continue;
    if (isPast(bound, event)) return { events, room: left, stop: { why: "bound", event } };
    if (left.events === 0 || bytes > left.bytes) {
      return { events, room: left, stop: { why: "room", event } };
    }
    events.push(event);
    left = { events: left.events - 1, bytes: left.bytes - bytes };
  }
  return { events, room: left, stop: undefined };
}

/**
 * Returns the blocks that a page needs: the one that contains the position, and further ones up to
 * the number of events and bytes that it has room for. Pure.
 */
export function blocksFor(
  { index }: Pick<OpenSegment, "index">,
  next: number,
  { events, bytes }: Room,
): { readonly from: number; readonly to: number } {
  const from = Math.max(
    0,
    index.findLastIndex(({ first }) => first <= next),
  );
  const most = Math.ceil(bytes / BLOCK_RAW_BYTES);
  const after = index.findIndex(({ first }, at) => at > from && first >= next + events);
  const to = after === -1 ? index.length : after;
  return { from, to: Math.min(to, from + Math.max(1, most)) };
}

/**
 * Returns the events of the block before a sequence, newest first, and the first sequence of the
 * block. Undefined if there is no such block.
 */
export async function readColdBefore(
  segments: Segments,
  chain: ColdChain,
  before: number,
): Promise<{ readonly events: readonly StoredEvent[]; readonly next: number } | undefined> {
  const segment = await segments.find(chain, before - 1);
  if (segment === undefined) return undefined;
  const { from, to } = blocksFor(segment, before - 1, { events: 1, bytes: 1 });
  const read = await segments.read(chain, segment, from, to);
  if (read === undefined) {
    // An erasure may have replaced the object since its row was read.
    const again = await segments.find(chain, before - 1);
    if (again === undefined || again.object === segment.object) return undefined;
    return readColdBefore(segments, chain, before);
  }
  const events = read
    .map(({ event }) => event)
    .filter((event) => event.sequence < before && isKept(chain, event));
  const first = from === 0 ? segment.first : (segment.index[from]?.first ?? segment.first);
  return { events: events.toReversed(), next: first };
}

/**
 * Finds the first archived event below the floor that was published at `timeMs` or later. `next` is
 * undefined when all of them are older, and when there are none. All events before `before` are
 * older, as far as the archive shows.
 */
export async function seekCold(
  { table, segments }: { readonly table: Table; readonly segments: Segments },
  chain: ColdChain,
  timeMs: number,
): Promise<{ readonly next: number | undefined; readonly before: number | undefined }> {
  let low = chain.archivedFrom ?? 1;
  let high = Math.min(chain.floor, chain.archivedTo ?? 0);
  let found: Segment | undefined;
  let before: number | undefined;
  // Publication times never decrease, so this is a binary search over the segments.
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const segment = await table.segments.loadAtOrBefore(chain, middle);
    if (segment === undefined || segment.next <= low) low = middle + 1;
    else if (segment.lastAt < timeMs) {
      low = segment.next;
      before = low;
    } else [high, found] = [segment.first, segment];
  }
  if (found === undefined) return { next: undefined, before };
  const { next } = await seekInSegment(segments, chain, found, timeMs);
  return { next, before: next > found.first ? next : before };
}

async function seekInSegment(
  segments: Segments,
  chain: ColdChain,
  { first, next }: Segment,
  timeMs: number,
): Promise<Position> {
  const segment = await segments.find(chain, first);
  if (segment === undefined) return edgeAt(next);
  const block = Math.max(
    0,
    segment.index.findLastIndex(({ at }) => at < timeMs),
  );
  const found = await segments.read(chain, segment, block, block + 1);
  if (found === undefined) {
    const again = await segments.find(chain, first);
    if (again !== undefined && again.object !== segment.object) {
      return seekInSegment(segments, chain, again, timeMs);
    }
  }
  const read = found ?? [];
  const hit = read.find(({ event }) => event.publishedAt >= timeMs);
  return edgeAt(hit?.event.sequence ?? segment.index[block + 1]?.first ?? next);
}

/**
 * Returns when the first event at a position or after it was published, in milliseconds since 1970.
 * It is exact to the block, so that it costs no read of an object.
 */
export async function timeOfCold(
  segments: Segments,
  chain: ColdChain,
  next: number,
): Promise<number | undefined> {
  const segment = await segments.find(chain, lostUntil(chain.lost, next));
  return segment?.index.findLast(({ first }) => first <= next)?.at ?? segment?.firstAt;
}
