import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { InvariantError } from "../../kernel/invariant.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import type { Life } from "../../model/names.ts";
import { noObjects } from "../../objects/no-objects.ts";
import type { Objects } from "../../objects/objects.ts";
import { objectOf, type Segment } from "../../table/segment.entity.ts";
import type { Table } from "../../table/table.ts";
import { type Block, type ColdEvent, parseBlocks, unpackBlocks } from "./blocks.ts";

/** A segment as it is read now, with its blocks. */
export type OpenSegment = Segment & { readonly index: readonly Block[]; readonly stamp: Stamp };

/** The place of a partition's archive. */
export type Place = { readonly life: Life; readonly partition: number };

/** Finds segments, and reads their blocks. */
export type Segments = {
  /** Returns the segment that holds a sequence, or undefined when there is none. */
  find(place: Place, sequence: number): Promise<OpenSegment | undefined>;
  /**
   * Returns the events of the blocks from number `from` to below `to`. Undefined when the object no
   * longer exists. Throws `archive-unavailable` when the bucket does not answer, and an
   * InvariantError for damaged bytes.
   */
  read(
    place: Place,
    segment: OpenSegment,
    from: number,
    to: number,
  ): Promise<ColdEvent[] | undefined>;
};

const PARTITIONS_MAX = 1_000;
/** An object that a lock keeps is read for this long after an erasure has replaced it. */
const MEMORY_MS = MINUTE_MS;

/**
 * The last segment of each partition is remembered for a minute: a reader asks for it page after
 * page, and only an erasure changes it. Without `objects` there is no bucket, and reading throws
 * `archive-unavailable`.
 */
export function createSegments({
  table,
  clock,
  objects = noObjects,
  observeColdRead = () => {},
}: {
  readonly table: Table;
  readonly clock: Clock;
  readonly objects?: Objects | undefined;
  readonly observeColdRead?: (() => void) | undefined;
}): Segments {
  const last = createBounded<OpenSegment>(PARTITIONS_MAX);
  const nameOf = ({ life, partition }: Place) => `${life}#${partition}`;
  return {
    async find(place, sequence) {
      const known = last.get(nameOf(place));
      const isFresh = known !== undefined && ageMs(clock, known.stamp) < MEMORY_MS;
      if (isFresh && holds(known, sequence)) return known;
      const stamp = takeStamp(clock);
      const found = await table.segments.loadAtOrBefore(place, sequence);
      if (found === undefined || !holds(found, sequence)) return undefined;
      const present = { ...found, ...objectOf(found) };
      const open = { ...present, index: parseBlocks(present.blocks), stamp };
      last.set(nameOf(place), open);
      return open;
    },

    async read(place, segment, from, to) {
      const start = segment.index[from]?.offset ?? 0;
      const end = segment.index[to]?.offset ?? segment.storedBytes;
      observeColdRead();
      const bytes = await objects.read(segment.object, start, end);
      if (bytes === undefined) {
        last.delete(nameOf(place));
        return undefined;
      }
      if (bytes.length !== end - start) {
        throw new InvariantError(`the object of segment ${segment.first} is too short`);
      }
      return unpackBlocks(bytes);
    },
  };
}

const holds = ({ first, next }: Segment, sequence: number): boolean =>
  sequence >= first && sequence < next;
