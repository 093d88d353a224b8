import { LIMITS } from "@eventledger/protocol";
import type { Log } from "../log/log.ts";
import { isOutOfReach } from "../log/read/reach.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { isInSnapshot, progressOf } from "../subscription/position/progress.ts";
import type { SubscriptionState } from "../subscription/state.ts";

/**
 * Counts the keys with events after the committed offset. A bootstrap would deliver as many states
 * instead. Undefined in a snapshot, without compaction, and with too many events to read.
 */
export async function countKeysBehind(
  log: Log,
  stream: LiveStream,
  state: SubscriptionState,
  eventsBehind: number,
): Promise<number | undefined> {
  const { positions, bootstrap } = progressOf(state);
  const known = positions.filter((position) => position !== undefined);
  if (stream.compaction !== "key" || isInSnapshot(bootstrap)) return undefined;
  if (eventsBehind > LIMITS.keysBehindEventsMax) return undefined;
  const room = { events: LIMITS.keysBehindEventsMax, bytes: LIMITS.scannedBytesMax };
  try {
    const { entries, runs } = await log.read(stream.life, known, {
      epochs: stream.epochs,
      room,
      nextPartition: 0,
    });
    if (!runs.every(({ atEnd }) => atEnd)) return undefined;
    return new Set(entries.map(({ event }) => event.key)).size;
  } catch (error) {
    if (isOutOfReach(error)) return undefined;
    throw error;
  }
}
