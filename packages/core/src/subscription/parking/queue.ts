import { LIMITS } from "@eventledger/protocol";
import type { QueuePlace } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import { keepMatching } from "../../log/read/page-cut.ts";
import { isOutOfReach } from "../../log/read/reach.ts";
import {
  chainIn,
  chainsOf,
  epochsOf,
  epochWith,
  isDrained,
  isInEpoch,
  startOfChain,
} from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { ParkedKey } from "../../model/parking.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { Matches } from "../filter.ts";

/**
 * A page from the queue of a parked key: its events between the queue's beginning and the committed
 * offset.
 */
export type QueuePage = {
  readonly events: readonly StoredEvent[];
  /** The batches of the events, in their order. */
  readonly batches: readonly number[];
  /** The position of the first event. */
  readonly first: Position | undefined;
  readonly place: QueuePlace;
  /** True when the queue has no further events below the committed offset. */
  readonly ended: boolean;
};

/** The queue to deliver next, and the place to start from. */
export type NextQueue = {
  readonly row: OffsetRow;
  readonly parked: ParkedKey;
  readonly at: Position;
};

/** Returns the queues that are being delivered, in their order. */
export const queuesOf = (offsets: readonly OffsetRow[]): readonly NextQueue[] =>
  offsets.flatMap((row) =>
    (row.parking?.keys ?? [])
      .filter(({ retrying }) => retrying)
      .map((parked) => ({ row, parked, at: parked })),
  );

/**
 * Returns the queue that contains a place. Undefined when its key has been parked, freed or retried
 * since then, or when everything up to the place is committed.
 */
export function queueAt(offsets: readonly OffsetRow[], place: QueuePlace): NextQueue | undefined {
  const queue = queuesOf(offsets).find(
    ({ row, parked }) =>
      row.partition === place.partition && parked.id === place.id && parked.next < place.next,
  );
  return queue === undefined ? undefined : { ...queue, at: place };
}

/**
 * Returns what to read of the queue of a key: from a place in the partition of an epoch, up to the
 * partition that lists the key. No other partitions are read.
 */
export function queueRange(
  stream: LiveStream,
  partition: number,
  key: string,
  { batch, next }: Position,
): { readonly positions: readonly Position[]; readonly chains: readonly number[] } {
  const begins = epochWith(stream, next);
  const chains = epochsOf(stream)
    .filter(({ first }) => first >= begins.first && first <= partition)
    .map((epoch) => (isInEpoch(epoch, partition) ? partition : chainIn(key, epoch)));
  const [from = partition] = chains;
  const positions = chainsOf(stream).map((chain) =>
    chain > from ? edgeAt(startOfChain(stream, chain)) : { batch, next },
  );
  return { positions, chains: chains.length === 0 ? [partition] : chains };
}

/**
 * Returns up to `limit` events of a queue. It examines a bounded number of events of the partition,
 * so the page may be empty before the queue ends. Undefined when the log no longer reaches back to
 * the queue's beginning. The key then stays parked until a skip acknowledges the lost events.
 */
export async function readQueue(
  log: Log,
  stream: LiveStream,
  { row, parked, at }: NextQueue,
  { limit, matches }: { limit: number; matches: Matches | undefined },
): Promise<QueuePage | undefined> {
  const { partition, batch, next, parking } = row;
  const skipped = new Set(parking?.skipped.map(({ sequence }) => sequence));
  const { positions, chains } = queueRange(stream, partition, parked.key, at);
  const room = { events: LIMITS.filterEventsMax, bytes: LIMITS.scannedBytesMax };
  try {
    const all = await log.read(stream.life, positions, {
      epochs: stream.epochs,
      room,
      nextPartition: 0,
      among: new Set(chains),
    });
    const { events, batches, page } = keepMatching(all, {
      limit,
      matches: (event) =>
        event.key === parked.key &&
        event.sequence < next &&
        !skipped.has(event.sequence) &&
        (matches?.(event) ?? true),
    });
    const first = page.entries.find(({ event }) => event.sequence === events[0]?.sequence);
    const reading = chains.find((chain) => !isDrained(stream, chain, page.runs[chain]?.position));
    const reached = page.runs[reading ?? partition]?.position ?? edgeAt(1);
    const ended = reached.next >= next;
    return {
      events,
      batches,
      first: first && { batch: first.batch, next: first.event.sequence },
      place: { ...(ended ? { batch, next } : reached), partition, id: parked.id },
      ended,
    };
  } catch (error) {
    if (isOutOfReach(error)) return undefined;
    throw error;
  }
}
