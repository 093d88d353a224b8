import type { CursorContent, QueuePlace } from "../../cursor/cursor.ts";
import type { LogPage } from "../../log/read/read.ts";
import { startOfChain } from "../../model/epochs.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { ghostsOf, planDelivered, planFree } from "../parking/parking-plan.ts";
import { type NextQueue, type QueuePage, queueAt, queuesOf, readQueue } from "../parking/queue.ts";
import { readQueues } from "../parking/queues.ts";
import { halved, isProven } from "./delivery-count-plan.ts";
import {
  createParkAt,
  type DeliveryDeps,
  matchesOf,
  maxOf,
  own,
  type Whose,
} from "./page-reader.ts";

/** A page of a queue, or only the place that a cursor must carry. */
export type Queued = {
  readonly events?: QueuePage["events"];
  readonly batches?: QueuePage["batches"];
  readonly place: QueuePlace | undefined;
  /** The ends of a page in the queues of several keys. */
  readonly places?: readonly QueuePlace[];
  /** Queues without events up to the committed offset. */
  readonly empty: readonly NextQueue[];
};

type QueueRequest = {
  readonly limit: number;
  readonly together?: boolean | undefined;
  /** The place in a queue that the reader has received. */
  readonly read: CursorContent["queue"];
};

/**
 * Delivers the queues of parked keys that are being retried. With `maxDeliveries` it counts
 * deliveries, and parks a key again whose first event keeps failing.
 */
export function createQueueDeliveries(deps: DeliveryDeps) {
  const { table, log } = deps;
  const parkAt = createParkAt(deps);

  /**
   * Returns a page of a queue, if there is a queue to deliver. The cursor must carry its place,
   * even when there are no events up to the committed offset. A queue whose beginning is no longer
   * kept waits for a skip.
   */
  async function takeQueued(
    stream: LiveStream,
    whose: Whose,
    { limit, together = false, read }: QueueRequest,
  ): Promise<Queued> {
    if (together) {
      const page = await takeTogether(stream, whose, limit);
      if (page !== undefined) return page;
    }
    const begun = read === undefined ? undefined : queueAt(own(whose), read);
    if (begun === undefined) return takeFirst(stream, whose, limit);
    if (begun.at.next >= begun.row.next) return { place: read, empty: [] };
    const page = await readCounted(stream, whose, begun, limit);
    if (page === undefined) return { place: read, empty: [] };
    return isNothing(page) ? { place: page.place, empty: [] } : { ...page, empty: [] };
  }

  /** Returns a page of the first queue that has events up to the committed offset. */
  async function takeFirst(stream: LiveStream, whose: Whose, limit: number): Promise<Queued> {
    const empty: NextQueue[] = [];
    let nothing: QueuePage | undefined;
    for (const queue of queuesOf(own(whose))) {
      if (queue.at.next === queue.row.next) empty.push(queue);
      if (queue.at.next >= queue.row.next) continue;
      const page = await readCounted(stream, whose, queue, limit);
      if (page === undefined) continue;
      if (!isNothing(page)) return { ...page, empty };
      empty.push(queue);
      nothing ??= page;
    }
    return { place: nothing?.place, empty };
  }

  /**
   * Returns a page of the queues of all keys that are being retried, with an equal part for each
   * partition. Undefined when there is none. Queues that begin in an earlier epoch are left to the
   * pages of one queue, and so are all of them while deliveries are counted.
   */
  async function takeTogether(
    stream: LiveStream,
    whose: Whose,
    limit: number,
  ): Promise<Queued | undefined> {
    if (maxOf(whose) !== undefined) return undefined;
    const some = own(whose).flatMap((row) => {
      const begin = startOfChain(stream, row.partition);
      const queues = queuesOf([row]).filter(({ at: { next } }) => next >= begin && next < row.next);
      return queues.length === 0 ? [] : [{ row, queues }];
    });
    const part = { limit: Math.ceil(limit / some.length), matches: matchesOf(whose) };
    const found = await Promise.all(some.map((each) => readQueues(log, stream, each, part)));
    const pages = found.filter((page) => page !== undefined);
    if (pages.every(({ events, ended }) => events.length === 0 && ended)) return undefined;
    return {
      events: pages.flatMap(({ events }) => events),
      batches: pages.flatMap(({ batches }) => batches),
      places: pages.flatMap(({ places }) => places),
      place: undefined,
      empty: [],
    };
  }

  /**
   * Returns a page of a queue, and counts a delivery of its beginning. Undefined when the key is
   * parked again, or the beginning is no longer kept.
   */
  async function readCounted(
    stream: LiveStream,
    whose: Whose,
    queue: NextQueue,
    limit: number,
  ): Promise<QueuePage | undefined> {
    const { delivered } = queue.parked;
    const counts = queue.at.next === queue.parked.next && maxOf(whose) !== undefined;
    if (counts && (await parkAgain(stream, whose, queue))) return undefined;
    const most = counts && delivered !== undefined ? Math.min(limit, halved(delivered)) : limit;
    const matches = matchesOf(whose);
    const page = await readQueue(log, stream, queue, { limit: most, matches });
    const { length = 0 } = page?.events ?? [];
    if (counts && length > 0) await noteQueue(stream, whose, queue, length);
    return page;
  }

  /**
   * Frees keys without waiting events up to the committed offset, so that the log delivers their
   * later events. Keys that another process has changed in the meantime stay unchanged.
   */
  async function free(
    { life }: LiveStream,
    { state }: Whose,
    queues: readonly NextQueue[],
  ): Promise<void> {
    const place = { life, subscriptionUid: state.row.uid };
    await Promise.all(
      state.offsets.map(async (row) => {
        const keys = queues.filter((each) => each.row === row).map(({ parked }) => parked);
        if (keys.length > 0) await table.parking.change(place, row, planFree(row, keys));
      }),
    );
  }

  /**
   * For an idle page, returns the retried keys that have no waiting events except those that the
   * page withholds. If these keys were not freed, their events would arrive one commit later, and
   * an empty page gives a client no reason to commit.
   */
  const withholding = (whose: Whose, page: LogPage, empty: readonly NextQueue[]): NextQueue[] => {
    const matches = matchesOf(whose);
    const ghosts = own(whose).flatMap((row) =>
      ghostsOf(row).map((parked) => ({ row, parked, at: parked })),
    );
    return [...empty, ...ghosts].filter(({ parked }) =>
      page.entries.some(
        ({ event }) =>
          event.key === parked.key && event.sequence >= parked.next && (matches?.(event) ?? true),
      ),
    );
  };

  /** Stops a retry whose first event has failed too often. */
  async function parkAgain(stream: LiveStream, whose: Whose, queue: NextQueue): Promise<boolean> {
    const { row, parked } = queue;
    const max = maxOf(whose);
    if (max === undefined || !isProven(parked.delivered, max)) return false;
    // A skip names the parked event, so the key is parked at one of its own events.
    const matches = matchesOf(whose);
    const page = await readQueue(log, stream, queue, { limit: 1, matches });
    if (page?.first === undefined) return false;
    const poison = { key: parked.key, ...page.first };
    return parkAt({ stream, whose, row }, poison, parked.delivered?.times ?? max);
  }

  async function noteQueue(
    { life }: LiveStream,
    { state }: Whose,
    { row, parked }: NextQueue,
    limit: number,
  ): Promise<void> {
    const times = (parked.delivered?.times ?? 0) + 1;
    const to = planDelivered(row, parked.id, { times, limit });
    if (to === undefined) return;
    await table.parking.change({ life, subscriptionUid: state.row.uid }, row, to);
  }

  return { takeQueued, free, withholding };
}

/** Returns whether a queue has no events from the page's beginning up to the committed offset. */
const isNothing = ({ events, ended }: QueuePage): boolean => events.length === 0 && ended;
