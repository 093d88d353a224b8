import type { Place, RangePlace, Start } from "@eventledger/protocol";
import { type CursorContent, type Cursors, invalidCursor } from "../cursor/cursor.ts";
import { inAllEpochs } from "../cursor/later-chains.ts";
import { readListCursor } from "../cursor/list-cursor.ts";
import { withinList } from "../cursor/listed.ts";
import type { Clock } from "../kernel/clock.ts";
import { invalidRequest } from "../kernel/error.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Log, SeekPoint } from "../log/log.ts";
import { assertOfStream } from "../log/read/foreign-cursor.ts";
import { epochWith } from "../model/epochs.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { isInSnapshot } from "../subscription/position/progress.ts";

/** A place, or everything that a cursor of the stream covers. */
export type Located = SeekPoint | { readonly cursor: CursorContent };

/**
 * A time may be ahead of this process's clock by this much, because clients have their own clocks.
 */
const AHEAD_MAX_MS = MINUTE_MS;

const SEQUENCE = /^\d+$/;
const NAMED = ["earliest", "latest"] as const;
/** No signed cursor is shorter, so a shorter text was meant as another place. */
const SIGNED_CHARS_MIN = 24;
const QUERY_PLACES = "must be earliest, latest, an RFC 3339 time, a sequence or a cursor";
const NO_PLACE =
  "The place is neither earliest, latest, an RFC 3339 time nor a sequence, nor a cursor of this server, unchanged.";

/** Returns a place in its stored form. A bare time becomes `{ timestamp }`. */
export const normalPlace = (asked: Place): Start =>
  asked === "earliest" || asked === "latest" || asked === "bootstrap" || typeof asked === "object"
    ? asked
    : { timestamp: asked };

/** Returns a place in the form that it has in a query. */
export const queryText = (asked: RangePlace): string => {
  if (typeof asked === "string") return asked;
  if ("timestamp" in asked) return asked.timestamp;
  return "cursor" in asked ? asked.cursor : String(asked.sequence);
};

type Deps = { readonly clock: Clock; readonly cursors: Cursors; readonly log: Log };

/** A place in the log. The others are snapshots. */
type LogPlace = Exclude<Start, "bootstrap" | { readonly since: string }>;

/**
 * Where a place occurs in the request. `ahead` allows a time in the future, as the end of a read.
 */
type Saying = { readonly pointer: string; readonly ahead?: boolean };

/**
 * Resolves places as clients name them, with the same grammar everywhere. Throws `invalid-request`
 * at `pointer` for a value that is not a place of this stream, and `invalid-cursor`.
 */
export function createPlaces({ clock, cursors, log }: Deps) {
  /** Resolves a place in a body. Its cursor may belong to a subscription. */
  function ofBody(stream: LiveStream, place: LogPlace, saying: Saying): Located {
    if (typeof place === "string") return place;
    if ("cursor" in place) return { cursor: inAllEpochs(stream, cursors.parse(place.cursor)) };
    if ("sequence" in place) return ofSequence(stream, place.sequence, saying);
    return ofTime(place.timestamp, saying);
  }

  /** Resolves a place in a query. Its cursor must be one of the stream itself. */
  async function ofQuery(stream: LiveStream, text: string, saying: Saying): Promise<Located> {
    const named = NAMED.find((name) => name === text);
    if (named !== undefined) return named;
    if (SEQUENCE.test(text)) return ofSequence(stream, Number(text), saying);
    if (text.includes(":")) return ofTime(text, saying);
    if (text.length < SIGNED_CHARS_MIN && readListCursor(text)?.list === undefined) {
      throw invalidRequest(saying.pointer, QUERY_PLACES);
    }
    const cursor = await ofCursor(stream, text, NO_PLACE);
    if (isInSnapshot(cursor.bootstrap)) throw withinList();
    return { cursor };
  }

  /** Parses a cursor of the stream's log, and refuses one of a subscription. */
  async function ofCursor(
    stream: LiveStream,
    text: string,
    malformed?: string,
  ): Promise<CursorContent> {
    const cursor = inAllEpochs(stream, cursors.parse(text, malformed));
    await assertOfStream(log, stream, cursor);
    if (cursor.subscription === undefined) return cursor;
    throw invalidCursor(
      "other-subscription",
      "The cursor belongs to a subscription: poll with it, as `after`.",
    );
  }

  function ofTime(timestamp: string, { pointer, ahead = false }: Saying): SeekPoint {
    const timeMs = Date.parse(timestamp);
    const nowMs = clock.now();
    if (ahead || timeMs <= nowMs + AHEAD_MAX_MS) return { timeMs };
    throw invalidRequest(
      pointer,
      `is in the future: the server's time is ${new Date(nowMs).toISOString()}. Use latest for events from now on`,
    );
  }

  /** Parses the cursor of a difference, which may belong to a subscription. */
  const ofSince = (stream: LiveStream, cursor: string): CursorContent =>
    inAllEpochs(stream, cursors.parse(cursor));

  return { ofBody, ofQuery, ofCursor, ofSince };
}

/** Resolves a sequence, which identifies a place only where the stream has one partition. */
function ofSequence(stream: LiveStream, sequence: number, { pointer }: Saying): SeekPoint {
  if (epochWith(stream, sequence).partitions > 1) {
    throw invalidRequest(
      pointer,
      "may be a sequence only on a stream with one partition; use a time or a cursor here",
    );
  }
  if (sequence < 1) throw invalidRequest(pointer, "must be at least 1");
  return { sequence, pointer };
}
