import { chainOfEvent, type Partitioned } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { printEvent } from "../model/event-text.ts";
import type { ExportPart, ExportRow } from "../table/export.entity.ts";

/** A page that an export reads: events of the log, or last events of keys. */
export type ExportPage = {
  readonly events: readonly StoredEvent[];
  /** Where the next page begins. */
  readonly cursor: string;
  /** Where a reader continues after the export, as far as this page knows. */
  readonly follow: string;
  readonly isLast: boolean;
};

/** The size of a part's lines after which the next part begins. */
const PART_RAW_BYTES = 8 * 1024 * 1024;
/** The parts are in the row of the export. An item of the table has at most 400 KB. */
const PARTS_CHARS_MAX = 250_000;

/** The lines of a part that is being read. Each page is a gzip member of its own. */
export type PartDraft = {
  readonly members: readonly Uint8Array[];
  readonly events: number;
  readonly rawBytes: number;
  readonly ranges: ReadonlyMap<number, readonly [first: number, last: number]>;
};

export const emptyDraft: PartDraft = { members: [], events: 0, rawBytes: 0, ranges: new Map() };

export const isFull = ({ rawBytes }: PartDraft): boolean => rawBytes >= PART_RAW_BYTES;

/** Returns whether the row of an export has no room for another part. */
export const isRowFull = (parts: readonly ExportPart[]): boolean =>
  JSON.stringify(parts).length > PARTS_CHARS_MAX;

/** Returns one event a line, exactly as a page prints it. */
export const linesOf = (events: readonly StoredEvent[]): string =>
  events.map((event) => `${printEvent(event)}\n`).join("");

/** Adds a page to a part. A state, which has no ranges, has no stream. */
export function addPage(
  draft: PartDraft,
  events: readonly StoredEvent[],
  stream: Partitioned | undefined,
  { member, rawBytes }: { readonly member: Uint8Array; readonly rawBytes: number },
): PartDraft {
  const ranges = new Map(draft.ranges);
  for (const { key, sequence } of events) {
    if (stream === undefined) break;
    const partition = chainOfEvent(stream, { key, sequence });
    const [first = sequence] = ranges.get(partition) ?? [];
    ranges.set(partition, [first, sequence]);
  }
  return {
    members: [...draft.members, member],
    events: draft.events + events.length,
    rawBytes: draft.rawBytes + rawBytes,
    ranges,
  };
}

/**
 * The beginning of the names of all objects of an export. `prefix` is the beginning of those of its
 * life.
 */
export const exportPrefix = (prefix: string, { id }: Pick<ExportRow, "id">): string =>
  `${prefix}exports/${id}/`;

/**
 * Returns the name of a part. It contains the hash, because two runs may write a part with
 * different content, and only one of them is recorded.
 */
export const partName = (
  prefix: string,
  row: Pick<ExportRow, "id">,
  number: number,
  sha256: string,
) => `${exportPrefix(prefix, row)}${String(number).padStart(6, "0")}-${sha256}.ndjson.gz`;
