import { LIMITS } from "@eventledger/protocol";
import type { QueuePlace } from "../cursor/cursor.ts";
import { LedgerError } from "../kernel/error.ts";
import type { ParkedKey } from "../kernel/parked.ts";
import { edgeAt, type Position } from "../kernel/position.ts";
import { keepMatching } from "../log/browse.ts";
import type { StoredEvent } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { OffsetRow } from "../table/subscription.entity.ts";
import type { Matches } from "./filter.ts";

/** A part of the queue of a parked key: its events between where it begins and what is committed. */
export type QueuePage = {
  readonly events: readonly StoredEvent[];
  readonly place: QueuePlace;
  /** Nothing of it is left below the committed position. */
  readonly ended: boolean;
};

/** Which queue is to be delivered next, and from where. */
export type NextQueue = {
  readonly row: OffsetRow;
  readonly parked: ParkedKey;
  readonly at: Position;
};

/**
 * The queues that a page may take from, in their order: the one that `read` has begun alone, else all
 * that have something below the committed position. A cursor holds a place in one of them.
 */
export function queuesOf(
  offsets: readonly OffsetRow[],
  read: QueuePlace | undefined,
): readonly NextQueue[] {
  const begun = read === undefined ? undefined : queueOf(offsets, read);
  if (begun !== undefined && read !== undefined) {
    return read.next < begun.row.next ? [{ ...begun, at: read }] : [];
  }
  return offsets.flatMap((row) =>
    (row.parking?.keys ?? [])
      .filter((parked) => parked.retrying && parked.next < row.next)
      .map((parked) => ({ row, parked, at: parked })),
  );
}

/** The queue a place is of, unless its key has been parked, freed or retried anew since. */
export function queueOf(
  offsets: readonly OffsetRow[],
  { partition, id }: QueuePlace,
): Omit<NextQueue, "at"> | undefined {
  const row = offsets.find((each) => each.partition === partition);
  const parked = row?.parking?.keys.find((each) => each.id === id && each.retrying);
  return row === undefined || parked === undefined ? undefined : { row, parked };
}

/**
 * Up to `limit` events of a queue. It looks at a bounded number of events of the partition, so it may
 * hold none and not have ended. Undefined when the log no longer reaches back to its beginning: then
 * the key stays parked until somebody skips what is lost.
 */
export async function readQueue(
  log: Log,
  { life, partitions }: LiveStream,
  { row, parked, at }: NextQueue,
  { limit, matches }: { limit: number; matches: Matches | undefined },
): Promise<QueuePage | undefined> {
  const { partition, batch, next } = row;
  const positions = Array.from({ length: partitions }, (_, index) =>
    index === partition ? { batch: at.batch, next: at.next } : edgeAt(1),
  );
  const room = { events: LIMITS.filterEventsMax, bytes: LIMITS.pageBytesMax };
  try {
    const all = await log.read(life, positions, { room, turn: 0, among: new Set([partition]) });
    const { events, page } = keepMatching(all, {
      limit,
      matches: (event) =>
        event.key === parked.key && event.sequence < next && (matches?.(event) ?? true),
    });
    const reached = page.runs[partition]?.position ?? edgeAt(1);
    const ended = reached.next >= next;
    return {
      events,
      place: { ...(ended ? { batch, next } : reached), partition, id: parked.id },
      ended,
    };
  } catch (error) {
    if (error instanceof LedgerError && error.code === "retention-passed") return undefined;
    throw error;
  }
}
