import type { Clock } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { again, retry } from "../kernel/retry.ts";
import { type ArchiveProgress, resumeArchive } from "../model/archive.ts";
import type { Life } from "../model/names.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";

export type ArchivedStream = StreamRow & { readonly life: Life };

type Deps = { readonly table: Table; readonly clock: Clock };

const TRIES = 10;

/**
 * Begins or stops archiving a partition, as the stream's settings say, and returns its checkpoint.
 * From the moment it begins, nothing that the archive lacks leaves the table. Does nothing when
 * other settings were made in the meantime. Throws `stream-not-found` when the partition is gone.
 */
export async function settlePartition(
  { table, clock }: Deps,
  stream: Pick<ArchivedStream, "name" | "uid" | "life" | "archiveDays">,
  partition: number,
): Promise<Checkpoint> {
  const place = { life: stream.life, partition };
  const limits = { tries: TRIES, giveUp: isBusy };
  let tries = 0;
  return retry<Checkpoint>(limits, async () => {
    const checkpoint = await table.checkpoints.load(stream.life, partition);
    if (checkpoint === undefined) throw streamNotFound();
    const wanted = stream.archiveDays !== null;
    if (wanted === (checkpoint.archiving ?? false)) return checkpoint;
    // A second failure says that the settings are different by now. The request that changed them
    // settles the archive.
    if (tries++ > 1 && !(await isStillWanted(table, stream))) return checkpoint;
    const to: Partial<ArchiveProgress> = wanted
      ? resumeArchive(checkpoint)
      : { stoppedAt: clock.now(), clearedTo: checkpoint.clearedTo ?? 1 };
    await table.segments.settle(stream, place, checkpoint, to);
    return again();
  });
}

async function isStillWanted(
  table: Table,
  { name, uid, archiveDays }: Pick<ArchivedStream, "name" | "uid" | "archiveDays">,
): Promise<boolean> {
  const row = await table.streams.load(name);
  return row?.uid === uid && (row.archiveDays === null) === (archiveDays === null);
}

function isBusy(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "The stream's archive is being changed. Send exactly the same request again.",
    retryAfterSeconds: 1,
  });
}
