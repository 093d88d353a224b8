import type { ArchiveReceipt } from "@eventledger/protocol";
import { inParallel } from "../kernel/in-parallel.ts";
import { loadEndPlace } from "../log/end.ts";
import { chainsOf } from "../model/epochs.ts";
import { lostBetween } from "../model/restored.ts";
import { type ArchiveDeps, archivePartition } from "./archiver.ts";
import type { ArchivedStream } from "./settle.ts";

/** A segment takes up to 30 MB of memory while it is written. */
const PARTITIONS_AT_ONCE = 4;

/**
 * Archives a stream up to its checkpoints, while `mayGoOn` returns true. Throws the error of the
 * first partition that failed. The other partitions may have moved on.
 */
export async function archiveStream(
  deps: ArchiveDeps,
  stream: ArchivedStream,
  mayGoOn: () => boolean,
): Promise<ArchiveReceipt> {
  let [segments, events, bytes] = [0, 0, 0];
  let done = true;
  await inParallel(chainsOf(stream), PARTITIONS_AT_ONCE, async (partition) => {
    const work = { mayGoOn, tail: true };
    const result = await archivePartition(deps, stream, partition, work);
    segments += result.segments;
    events += result.events;
    bytes += result.bytes;
    done &&= result.done;
  });
  return { segments, events, bytes, watermarkLag: await measureArchiveLag(deps, stream), done };
}

/** Measures what is not archived yet, with up to three reads per partition. */
export async function measureArchiveLag(
  { table, clock }: Pick<ArchiveDeps, "table" | "clock">,
  stream: Pick<ArchivedStream, "life" | "partitions" | "epochs">,
): Promise<ArchiveReceipt["watermarkLag"]> {
  const lags = await Promise.all(
    chainsOf(stream).map(async (partition) => {
      const { life } = stream;
      const { next, checkpoint } = await loadEndPlace({ table, clock }, life, partition);
      const { archivedTo = checkpoint.floor, lost } = checkpoint;
      const events = Math.max(0, next - archivedTo - lostBetween(lost, archivedTo, next));
      if (events === 0) return { events, oldestAt: Infinity };
      const { batches } = await table.batches.loadOutlines(life, partition, archivedTo, 1);
      return { events, oldestAt: batches[0]?.publishedAt ?? Infinity };
    }),
  );
  const oldestAt = Math.min(...lags.map((lag) => lag.oldestAt));
  return {
    events: lags.reduce((sum, { events }) => sum + events, 0),
    seconds: oldestAt === Infinity ? 0 : Math.max(0, clock.now() - oldestAt) / 1_000,
  };
}
