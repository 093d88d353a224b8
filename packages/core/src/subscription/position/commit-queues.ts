import type { CursorContent, QueuePlace } from "../../cursor/cursor.ts";
import { LedgerError, subscriptionNotFound } from "../../kernel/error.ts";
import { again, retry } from "../../kernel/retry.ts";
import type { Life } from "../../model/names.ts";
import { nothingParked } from "../../model/parking.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { type OffsetRow, passesGuard } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { Table } from "../../table/table.ts";
import { isReadInVain, planProgress } from "../parking/parking-plan.ts";
import { assertLeased, type GuardOf } from "./commit-lease.ts";

type Deps = { readonly table: Table; readonly guardOf: GuardOf };

/** The effect of a commit in a queue. `inVain` is true when the page will be delivered again. */
type QueueCommit = { readonly row?: OffsetRow; readonly moved: boolean; readonly inVain: boolean };

const TRIES = 5;

/** Moves the progress in the queues of parked keys. */
export function createQueueCommits({ table, guardOf }: Deps) {
  /** Commits the progress in the queue of a parked key, if the cursor belongs to one. */
  async function commitQueue(
    { life }: LiveStream,
    row: SubscriptionRow,
    cursor: CursorContent,
  ): Promise<QueueCommit | undefined> {
    const { queue } = cursor;
    return queue === undefined ? undefined : commitQueueIn(life, row, cursor, [queue]);
  }

  /**
   * Commits the progress in several queues, with one write for each partition. Only a worker reads
   * several queues at a time. Throws `lease-lost` when a different worker has taken one over.
   */
  async function commitQueues(
    { life }: LiveStream,
    row: SubscriptionRow,
    cursor: CursorContent,
    places: readonly QueuePlace[],
  ): Promise<void> {
    const partitions = Map.groupBy(places, ({ partition }) => partition);
    await Promise.all(
      Array.from(partitions.values(), (some) => commitQueueIn(life, row, cursor, some)),
    );
  }

  /** Commits the progress in queues of one partition. `inVain` is about the first one. */
  async function commitQueueIn(
    life: Life,
    row: SubscriptionRow,
    cursor: CursorContent,
    places: readonly QueuePlace[],
  ): Promise<QueueCommit | undefined> {
    const { subscription } = cursor;
    const [queue] = places;
    if (queue === undefined) return undefined;
    const place = { life, subscriptionUid: row.uid };
    const limits = { tries: TRIES, giveUp: changedByOthers };
    return retry<QueueCommit | undefined>(limits, async () => {
      const present = await table.parking.load(place, queue.partition);
      if (present === undefined) throw subscriptionNotFound();
      if (present.generation !== subscription?.generation) return undefined;
      const guard = guardOf(cursor, row, queue.partition);
      assertLeased(passesGuard(present, guard), cursor);
      const { parking: from = nothingParked } = present;
      const to = places.reduce(
        (parking, at) => planProgress({ ...present, parking }, at) ?? parking,
        from,
      );
      if (to === from) return { moved: false, inVain: isReadInVain(present, queue) };
      const changed = await table.parking.change(place, present, to, { guard });
      return changed === undefined ? again() : { row: changed, moved: true, inVain: false };
    });
  }

  return { commitQueue, commitQueues };
}

function changedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Concurrent requests changed this subscription. Commit again.",
    retryAfterSeconds: 1,
  });
}
