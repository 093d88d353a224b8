import { HOUR_MS } from "../kernel/time.ts";
import type { Life } from "../model/names.ts";
import type { Amount, HourTally } from "../model/usage.ts";
import type { PublishedRow } from "../table/usage.entity.ts";

/**
 * The knowledge about one partition: its hours, and its state according to its rows and its
 * checkpoint.
 */
export type PartitionHours = {
  readonly life: Life;
  readonly partition: number;
  readonly hours: Map<number, Amount & { readonly retentionHours: number }>;
  /** The size of the archive at the end of some hours, in ascending order. */
  readonly archived: { readonly hour: number; readonly bytes: number }[];
  /** The size of the compacted state at the end of some hours. */
  readonly compacted: Map<number, number>;
  endedHour: number;
  /** The number of events that the partition has published, as far as it is known. */
  total: number;
};

/** The part of that knowledge that comes from the checkpoint. */
export type LiveHours = {
  readonly life: Life;
  readonly partition: number;
  readonly retentionHours: number;
  readonly hours: readonly HourTally[];
  /** The number of events that the partition has published. */
  readonly total: number;
  /** The size of the archive, and the hour of its last change. */
  readonly archived?: { readonly hour: number; readonly bytes: number };
  /** The hour in which the stream was deleted, while it is being removed. */
  readonly endedHour?: number;
};

/** The retention for a row that does not name one, because its stream is being removed. */
const RETENTION_HOURS = 0;

/**
 * Joins rows and checkpoints by partition. If an hour occurs several times, its largest numbers
 * count, because numbers only grow until an hour is final. Pure.
 */
export function joinHours(
  rows: readonly PublishedRow[],
  live: readonly LiveHours[],
): readonly PartitionHours[] {
  const found = new Map<string, PartitionHours>();
  const partOf = ({ life, partition }: Pick<LiveHours, "life" | "partition">): PartitionHours => {
    const name = `${life}#${partition}`;
    const known = found.get(name);
    if (known !== undefined) return known;
    const hours = new Map();
    const compacted = new Map<number, number>();
    const made = { life, partition, hours, archived: [], compacted, endedHour: Infinity, total: 0 };
    found.set(name, made);
    return made;
  };
  const add = (to: PartitionHours, tallies: readonly HourTally[], retentionHours: number) => {
    for (const [hour, events, bytes, , state] of tallies) {
      const known = to.hours.get(hour);
      if (state !== undefined && (known?.events ?? 0) <= events) to.compacted.set(hour, state);
      if (known !== undefined && known.events >= events) continue;
      to.hours.set(hour, { events, bytes, retentionHours });
    }
  };
  for (const row of rows) {
    const part = partOf(row);
    part.total = Math.max(part.total, row.total);
    add(part, row.hours, row.retentionHours ?? RETENTION_HOURS);
    if (row.endedAt !== undefined) part.endedHour = Math.floor(row.endedAt / HOUR_MS);
    const last = row.hours.at(-1)?.[0];
    if (last !== undefined && row.archivedBytes !== undefined) {
      part.archived.push({ hour: last, bytes: row.archivedBytes });
    }
  }
  for (const partition of live) {
    const part = partOf(partition);
    part.total = Math.max(part.total, partition.total);
    part.endedHour = Math.min(part.endedHour, partition.endedHour ?? Infinity);
    add(part, partition.hours, partition.retentionHours);
    if (partition.archived !== undefined) part.archived.push(partition.archived);
  }
  for (const { archived } of found.values()) archived.sort((a, b) => a.hour - b.hour);
  return [...found.values()];
}

/** The bytes that a partition stores at the end of an hour. */
export type Stored = {
  readonly hot: number;
  readonly compacted: number;
  readonly archived: number;
};

/**
 * Returns a function that computes how much a partition stores at the end of an hour: the published
 * bytes whose retention has not passed, in whole hours, and the compacted state and the archive at
 * their last known sizes. It must be called with hours in ascending order. Pure apart from that.
 */
export function storedBy(part: PartitionHours): (hour: number) => Stored {
  const changes = [...part.hours].flatMap(([hour, { bytes, retentionHours }]) => [
    { at: hour, by: bytes },
    { at: hour + retentionHours, by: -bytes },
  ]);
  changes.sort((a, b) => a.at - b.at);
  const states = [...part.compacted].sort(([a], [b]) => a - b);
  let hot = 0;
  let next = 0;
  return (hour) => {
    for (; (changes[next]?.at ?? Infinity) <= hour; next++) hot += changes[next]?.by ?? 0;
    if (hour >= part.endedHour) return NOTHING_STORED;
    const sample = part.archived.findLast((each) => each.hour <= hour);
    const compacted = states.findLast(([each]) => each <= hour)?.[1] ?? 0;
    return { hot, compacted, archived: sample?.bytes ?? 0 };
  };
}

export const NOTHING_STORED: Stored = { hot: 0, compacted: 0, archived: 0 };
