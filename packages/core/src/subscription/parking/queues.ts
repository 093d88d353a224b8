import { LIMITS } from "@eventledger/protocol";
import type { QueuePlace } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import { keepMatching } from "../../log/read/page-cut.ts";
import { isOutOfReach } from "../../log/read/reach.ts";
import { edgeAt } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { Matches } from "../filter.ts";
import { type NextQueue, type QueuePage, queueRange } from "./queue.ts";

/** A page from several queues of a partition, with the place in each of them where it ends. */
export type QueuesPage = Pick<QueuePage, "events" | "batches" | "ended"> & {
  readonly places: readonly QueuePlace[];
};

/**
 * Returns up to `limit` events of several queues that begin in the partition which lists their
 * keys, in the order of the log, with one read of it. Undefined when the log no longer reaches back
 * to the first of the queues.
 */
export async function readQueues(
  log: Log,
  stream: LiveStream,
  { row, queues }: { readonly row: OffsetRow; readonly queues: readonly NextQueue[] },
  { limit, matches }: { limit: number; matches: Matches | undefined },
): Promise<QueuesPage | undefined> {
  const { partition, batch, next, parking } = row;
  const begins = new Map(queues.map(({ parked, at }) => [parked.key, at.next]));
  const skipped = new Set(parking?.skipped.map(({ sequence }) => sequence));
  const [first] = queues.toSorted((one, other) => one.at.next - other.at.next);
  if (first === undefined) return undefined;
  const { positions } = queueRange(stream, partition, first.parked.key, first.at);
  try {
    const all = await log.read(stream.life, positions, {
      epochs: stream.epochs,
      room: { events: LIMITS.filterEventsMax, bytes: LIMITS.scannedBytesMax },
      nextPartition: 0,
      among: new Set([partition]),
    });
    const { events, batches, page } = keepMatching(all, {
      limit,
      matches: (event) =>
        event.sequence >= (begins.get(event.key) ?? next) &&
        event.sequence < next &&
        !skipped.has(event.sequence) &&
        (matches?.(event) ?? true),
    });
    const reached = page.runs[partition]?.position ?? edgeAt(1);
    const ended = reached.next >= next;
    const end = ended ? { batch, next } : reached;
    const places = queues
      .filter(({ at }) => at.next < end.next)
      .map(({ parked: { id } }) => ({ ...end, partition, id }));
    return { events, batches, places, ended };
  } catch (error) {
    if (isOutOfReach(error)) return undefined;
    throw error;
  }
}
