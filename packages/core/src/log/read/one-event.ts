import { LedgerError } from "../../kernel/error.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import { unpackBatch } from "../codec.ts";
import { type ReadDeps, retentionPassed } from "./read.ts";

/** The address of one event, and further conditions on it. */
export type Address = {
  readonly partition: number;
  readonly sequence: number;
  readonly matches: ((event: StoredEvent) => boolean) | undefined;
};

/**
 * Returns one event by its address, and the position after it. Throws `event-not-found`, or
 * `retention-passed` for an expired event.
 */
export async function loadEvent(
  { table, checkpoints }: ReadDeps,
  life: Life,
  { partition, sequence, matches }: Address,
): Promise<{ event: StoredEvent; after: Position }> {
  const { floor } = await checkpoints.recall(life, partition);
  if (sequence < floor) throw retentionPassed(floor);
  const batch = await table.batches.loadAtOrBefore(life, partition, sequence);
  const isIn = batch !== undefined && sequence < batch.first + batch.count;
  const event = isIn ? unpackBatch(batch)[sequence - batch.first] : undefined;
  if (isIn && event !== undefined && (matches === undefined || matches(event))) {
    return { event, after: { batch: batch.first, next: sequence + 1 } };
  }
  const isLost = isIn && batch.kind === "jump";
  throw new LedgerError("event-not-found", {
    detail: isLost
      ? "A restore of the table has lost the event of this sequence, if there was one."
      : event === undefined
        ? "No event has this sequence yet."
        : "The event of this sequence has another key, or another condition of the request excludes it.",
  });
}
