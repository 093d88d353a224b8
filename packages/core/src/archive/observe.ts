import type { Clock } from "../kernel/clock.ts";
import type { Life } from "../model/names.ts";
import { lostBetween } from "../model/restored.ts";
import type { Table } from "../table/table.ts";

/** Reports the progress of archiving in a process. */
export type ObserveArchive = {
  /** Called for each segment that was written, with the size of its object. */
  segment(bytes: number): void;
  /** Called with what a partition has compacted and not archived. */
  lag(at: ArchiveLagOf): void;
};

type ArchiveLagOf = {
  readonly life: Life;
  readonly partition: number;
  readonly events: number;
  /** The age of the oldest of these events; 0 if there are none. */
  readonly seconds: number;
};

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly observeArchive?: ObserveArchive | undefined;
};

/**
 * Reports the lag of a partition, with one read, and a second one if there is a lag. A partition
 * that is not archived has none.
 */
export async function reportLag(
  { table, clock, observeArchive }: Deps,
  life: Life,
  partition: number,
): Promise<void> {
  if (observeArchive === undefined) return;
  const checkpoint = await table.checkpoints.load(life, partition);
  const { archiving, archivedTo = 0, next = 0, lost } = checkpoint ?? {};
  const events = archiving ? next - archivedTo - lostBetween(lost, archivedTo, next) : 0;
  if (events <= 0) {
    observeArchive.lag({ life, partition, events: 0, seconds: 0 });
    return;
  }
  const { batches } = await table.batches.loadOutlines(life, partition, archivedTo, 1);
  const oldestAt = batches[0]?.publishedAt ?? clock.now();
  const seconds = Math.max(0, clock.now() - oldestAt) / 1_000;
  observeArchive.lag({ life, partition, events, seconds });
}
