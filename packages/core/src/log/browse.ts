import { LIMITS } from "@eventledger/protocol";
import type { CursorContent } from "../cursor/cursor.ts";
import type { Position } from "../kernel/position.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { StoredEvent } from "./event.ts";
import type { Log, Place } from "./log.ts";
import { fittingCount } from "./page-bytes.ts";
import { cutPage, type LogPage } from "./read.ts";

/** A run of events, where to go on, and whether anything is left behind it. */
export type Browsed = {
  readonly events: readonly StoredEvent[];
  readonly cursor: CursorContent;
  readonly caughtUp: boolean;
};

/**
 * Reads a stream without a subscription, from a place or from behind a cursor. `matches` leaves
 * events out; a page looks at a bounded number of events, so it may be empty and not the end.
 */
export async function browse(
  log: Log,
  stream: LiveStream,
  from: Place | CursorContent,
  { limit, matches }: { limit: number; matches: ((event: StoredEvent) => boolean) | undefined },
): Promise<Browsed> {
  const isCursor = typeof from === "object" && "positions" in from;
  const positions = isCursor
    ? await resolvePositions(log, stream, from)
    : await log.seek(stream, from);
  const room = {
    events: matches === undefined ? limit : LIMITS.pageEventsMax,
    bytes: LIMITS.lookedAtBytesMax,
  };
  const page = await log.read(stream.life, positions, { room, turn: isCursor ? from.turn : 0 });
  const { events, page: cut } = keepMatching(page, { limit, matches });
  return {
    events,
    cursor: {
      streamUid: stream.uid,
      positions: cut.runs.map(({ position }) => position),
      turn: cut.turn,
    },
    caughtUp: cut.runs.every(({ atEnd }) => atEnd),
  };
}

/**
 * Up to `limit` events of a page, those that match if that is asked for, as far as an answer can hold
 * them. The page is cut behind the last of them: it covers what was left out before.
 */
export function keepMatching(
  page: LogPage,
  { limit, matches }: { limit: number; matches: ((event: StoredEvent) => boolean) | undefined },
): { events: readonly StoredEvent[]; page: LogPage } {
  const wanted = page.entries.flatMap(({ event }, index) =>
    matches === undefined || matches(event) ? [index] : [],
  );
  const most = wanted.slice(0, limit).flatMap((index) => page.entries[index]?.event ?? []);
  const count = fittingCount(most);
  const overflow = wanted[count];
  return {
    events: most.slice(0, count),
    page: overflow === undefined ? page : cutPage(page, overflow),
  };
}

/** The positions of a cursor; where it names only a moment, that moment is looked up. */
export const resolvePositions = (
  log: Log,
  stream: LiveStream,
  { positions, since }: CursorContent,
): Promise<Position[]> =>
  Promise.all(
    Array.from({ length: stream.partitions }, async (_, partition) => {
      const known = positions[partition];
      if (known !== undefined) return known;
      const place = since === undefined ? "earliest" : { timeMs: since };
      return log.seekPartition(stream.life, partition, place);
    }),
  );
