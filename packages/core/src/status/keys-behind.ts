import { LIMITS } from "@eventledger/protocol";
import type { Log } from "../log/log.ts";
import { isOutOfReach } from "../log/read/read.ts";
import type { LiveStream } from "../stream/streams.ts";
import { isInSnapshot, standingOf } from "../subscription/position/progress.ts";
import type { SubscriptionState } from "../subscription/state.ts";

/**
 * How many keys have events behind what is committed: what a subscription would be told by a bootstrap
 * instead. Undefined where that makes no sense, and where there are too many events: it reads them.
 */
export async function countKeysBehind(
  log: Log,
  stream: LiveStream,
  state: SubscriptionState,
  eventsBehind: number,
): Promise<number | undefined> {
  const { positions, bootstrap } = standingOf(state);
  const known = positions.filter((position) => position !== undefined);
  if (stream.compaction !== "key" || isInSnapshot(bootstrap)) return undefined;
  if (eventsBehind > LIMITS.keysBehindEventsMax) return undefined;
  const room = { events: LIMITS.keysBehindEventsMax, bytes: LIMITS.lookedAtBytesMax };
  try {
    const { entries, runs } = await log.read(stream.life, known, { room, turn: 0 });
    if (!runs.every(({ atEnd }) => atEnd)) return undefined;
    return new Set(entries.map(({ event }) => event.key)).size;
  } catch (error) {
    if (isOutOfReach(error)) return undefined;
    throw error;
  }
}
