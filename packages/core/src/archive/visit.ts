import type { Clock } from "../kernel/clock.ts";
import { lifeOf } from "../model/names.ts";
import { noObjects } from "../objects/no-objects.ts";
import type { Objects } from "../objects/objects.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { archivePartition } from "./archiver.ts";
import { clearRows } from "./clear-rows.ts";
import { expireSegments } from "./expire.ts";
import { type ObserveArchive, reportLag } from "./observe.ts";
import { settlePartition } from "./settle.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly objects?: Objects | undefined;
  readonly observeArchive?: ObserveArchive | undefined;
};

/** The result of a visit. */
export type ArchiveVisit = {
  readonly segments: number;
  readonly segmentsRemoved: number;
  readonly batchesRemoved: number;
  readonly done: boolean;
};

/**
 * Does the periodic work of a partition that has an archive or had one: archives what is due,
 * removes segments whose days are over, and frees the batches that nothing needs. A partition
 * without new events costs a few reads. The lag is reported whether the work succeeds or not.
 */
export async function visitArchive(
  deps: Deps,
  stream: StreamRow,
  partition: number,
  mayGoOn: () => boolean,
): Promise<ArchiveVisit> {
  try {
    return await doWork(deps, stream, partition, mayGoOn);
  } finally {
    // A failure to measure must not hide the result of the work.
    await reportLag(deps, lifeOf(stream.name, stream.uid), partition).catch(() => {});
  }
}

async function doWork(
  deps: Deps,
  stream: StreamRow,
  partition: number,
  mayGoOn: () => boolean,
): Promise<ArchiveVisit> {
  const archived = { ...stream, life: lifeOf(stream.name, stream.uid) };
  const objects = deps.objects ?? noObjects;
  await settlePartition(deps, archived, partition);
  const batchesRemoved = await clearRows(deps, archived, partition, mayGoOn);
  const work = { mayGoOn, tail: false };
  const { segments, done } = await archivePartition(
    { ...deps, objects },
    archived,
    partition,
    work,
  );
  const segmentsRemoved = await expireSegments({ ...deps, objects }, archived, partition, mayGoOn);
  return { segments, segmentsRemoved, batchesRemoved, done };
}
