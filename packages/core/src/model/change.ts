import type { RawJson, StoredEvent } from "./event.ts";

/** What a list of changes keeps of a tombstone: everything except its headers. */
export type Deletion = Pick<StoredEvent, "id" | "publishedAt" | "type" | "time" | "erasure">;

/** The newest event of a key in a range of a partition. */
export type Change = {
  readonly key: string;
  readonly sequence: number;
  /** Only if the event is a tombstone. */
  readonly deletion?: Deletion;
};

/** Returns the change that an event of the log makes. An erased event deletes nothing. */
export function changeOf(event: StoredEvent): Change {
  const { key, sequence, publishedAt, id, type, time, erasure } = event;
  if (event.data !== "null" || event.erased === true) return { key, sequence };
  const deletion = {
    publishedAt,
    id,
    ...(type === undefined ? {} : { type }),
    ...(time === undefined ? {} : { time }),
    ...(erasure === undefined ? {} : { erasure }),
  };
  return { key, sequence, deletion };
}

/** Returns the tombstone of a change. It lacks the headers. */
export const tombstoneOf = (
  { key, sequence }: Pick<Change, "key" | "sequence">,
  deletion: Deletion,
): StoredEvent => ({ ...deletion, key, sequence, data: "null" as RawJson });

/** A part of a list of changes. It covers the range from the end of the part before it to `to`. */
export type ChangeChunk = {
  /** The id of its row, which never changes. */
  readonly id: string;
  readonly to: number;
  /** How many changes it has. */
  readonly count: number;
  /** How often its changes were compared with those of other parts. */
  readonly level: number;
  /** The end of the last of the parts that were listed or compared together with this one. */
  readonly run: number;
  /** The publication time of the last event of its range, in milliseconds since 1970. */
  readonly at: number;
};

/** The list of the changes of a partition from the sequence `from` to below `to`. */
export type ChangeList = {
  readonly from: number;
  readonly to: number;
  /** In the order of their ranges. The first one begins at `from`. */
  readonly chunks: readonly ChangeChunk[];
  /** A text that every update of the list replaces. */
  readonly revision: string;
};
