import { invalidRequest, type LedgerError } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { isOutOfReach } from "../../log/read/reach.ts";
import type { Entry } from "../../log/read/read-run.ts";
import { chainOfEvent, chainsOf, endOfChain, epochWith } from "../../model/epochs.ts";
import type { LiveStream } from "../../stream/live-streams.ts";

/** Returns the partition of an event. With one partition, the sequence alone identifies it. */
export function partitionNamed(
  stream: LiveStream,
  { key, sequence }: { readonly key?: string | undefined; readonly sequence: number },
): number {
  const { first, partitions } = epochWith(stream, sequence);
  if (partitions === 1) return first;
  if (key === undefined) {
    throw invalidRequest("/key", "is needed on a stream with more than one partition");
  }
  return chainOfEvent(stream, { key, sequence });
}

/** Returns the event of a sequence. Throws `invalid-request` when the log does not keep it. */
export async function findEvent(
  log: Log,
  stream: LiveStream,
  { partition, sequence }: { readonly partition: number; readonly sequence: number },
): Promise<Entry> {
  const place = { sequence, pointer: "/sequence" } as const;
  const { life } = stream;
  const end = endOfChain(stream, partition);
  const at = await log.seekPartition(life, partition, place, end).catch(outOfReach);
  if (at === undefined) throw notKept();
  const positions = chainsOf(stream).map(() => at);
  const room = { events: 1, bytes: Number.MAX_SAFE_INTEGER };
  const among = new Set([partition]);
  try {
    const { entries } = await log.read(life, positions, {
      epochs: stream.epochs,
      room,
      nextPartition: 0,
      among,
    });
    const [entry] = entries;
    if (entry?.event.sequence === sequence) return entry;
  } catch (error) {
    outOfReach(error);
  }
  throw notKept();
}

/** Returns undefined when a place is no longer in the log. Throws every other error. */
function outOfReach(error: unknown): undefined {
  if (!isOutOfReach(error)) throw error;
  return undefined;
}

const notKept = (): LedgerError =>
  invalidRequest("/sequence", "names an event that the stream does not keep");
