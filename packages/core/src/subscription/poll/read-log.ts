import { LIMITS } from "@eventledger/protocol";
import { invalidCursor } from "../../cursor/cursor.ts";
import { LedgerError } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { keepMatching } from "../../log/read/page-cut.ts";
import { isOutOfReach } from "../../log/read/reach.ts";
import type { LogPage } from "../../log/read/read.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import { type Matches, matcherOf } from "../filter.ts";
import type { SubscriptionState } from "../state.ts";

/** A page of the log. `events` are those that pass the filter. */
export type Delivery = {
  readonly events: readonly StoredEvent[];
  /** The batches of the events, in their order. */
  readonly batches: readonly number[];
  readonly page: LogPage;
  /** Whether any event was examined, including filtered ones. */
  readonly looked: boolean;
};

/** Where to read, and how much. */
type LogRequest = {
  readonly positions: readonly (Position | undefined)[];
  readonly limit: number;
  readonly nextPartition: number;
  readonly among?: ReadonlySet<number>;
};

/**
 * Continues to read the log, in some partitions or all. If the log no longer reaches back to the
 * position, the error describes how to continue.
 */
export async function readLog(
  log: Log,
  stream: LiveStream,
  { row, offsets }: SubscriptionState,
  { positions, limit, ...of }: LogRequest,
): Promise<Delivery> {
  const matches = allOf(matcherOf(row.config.filter), flowing(offsets));
  const room = {
    events: matches === undefined ? limit : LIMITS.filterEventsMax,
    bytes: LIMITS.scannedBytesMax,
  };
  try {
    const { epochs } = stream;
    const page = await log.read(stream.life, positions.map(known), { epochs, room, ...of });
    return { ...keepMatching(page, { limit, matches }), looked: page.entries.length > 0 };
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    const { code, facts } = error;
    const seek = stream.compaction === "key" ? "bootstrap" : "earliest";
    const detail = code === "retention-passed" ? PASSED[seek] : error.detail;
    throw new LedgerError(code, { detail, facts: { ...facts, seek }, cause: error });
  }
}

const NOT_KEPT = "The events at this position are no longer kept.";
const PASSED = {
  bootstrap: `${NOT_KEPT} Seek to \`earliest\`, or to \`bootstrap\` for the current state of every key.`,
  earliest: `${NOT_KEPT} Seek to \`earliest\`.`,
} as const;

/** Excludes events that are parked or were skipped. Undefined when there are none. */
function flowing(offsets: readonly OffsetRow[]): Matches | undefined {
  const parked = offsets.flatMap(({ parking }) => parking?.keys ?? []);
  const skipped = offsets.flatMap(({ parking }) => parking?.skipped ?? []);
  if (parked.length + skipped.length === 0) return undefined;
  const from = new Map<string, number>();
  for (const each of parked)
    from.set(each.key, Math.min(each.from, from.get(each.key) ?? Infinity));
  const isSkipped = ({ key, sequence }: StoredEvent): boolean =>
    skipped.some((each) => each.sequence === sequence && each.key === key);
  return (event) => event.sequence < (from.get(event.key) ?? Infinity) && !isSkipped(event);
}

const allOf = (one: Matches | undefined, other: Matches | undefined): Matches | undefined =>
  one === undefined || other === undefined ? (one ?? other) : (event) => one(event) && other(event);

export function known(position: Position | undefined): Position {
  if (position === undefined) throw invalidCursor("other-query");
  return position;
}
