import { bareName, type Life, ownerOf, type ScopedName } from "../model/names.ts";
import { type Amount, HOURS_OF_DAY } from "../model/usage.ts";
import type { UsedRow } from "../table/usage.entity.ts";
import { NOTHING_STORED, type PartitionHours, type Stored, storedBy } from "./stored-plan.ts";

export type UsageBy = "stream" | "key" | "tenant";

/** A span of hours since 1970, without `to`. `step` is the number of hours of an entry. */
export type Span = { readonly from: number; readonly to: number; readonly step: number };

/** What one subject used in one step. */
export type UsageEntry = {
  readonly hour: number;
  readonly subject: string;
  readonly published: Amount;
  readonly delivered: Amount;
  readonly requests: number;
  /** At the end of the step, or at present. Absent by key. */
  readonly stored?: Stored;
};

export type UsageData = {
  readonly partitions: readonly PartitionHours[];
  readonly used: readonly UsedRow[];
};

const NONE: Amount = { events: 0, bytes: 0 };

/**
 * Adds up usage by step and subject, sorted by time and then by subject. By stream and by tenant,
 * the numbers of published events come from the log. By key, they come from the counts of
 * processes. A subject without any usage in a step has no entry. Pure.
 */
export function planReport(
  { partitions, used }: UsageData,
  by: UsageBy,
  span: Span,
): readonly UsageEntry[] {
  const sums = new Map<string, Sums>();
  const at = (hour: number, subject: string): Sums => {
    const start = startOf(hour, span);
    const name = `${start}/${subject}`;
    const known = sums.get(name) ?? { hour: start, subject, ...nothing() };
    sums.set(name, known);
    return known;
  };
  for (const row of used) addUsed(at, row, by, span);
  if (by !== "key") for (const part of partitions) addLog(at, part, by, span);
  return [...sums.values()]
    .map(({ stored, ...entry }) => (by === "key" ? entry : { ...entry, stored }))
    .sort((a, b) => a.hour - b.hour || (a.subject < b.subject ? -1 : 1));
}

type Sums = {
  readonly hour: number;
  readonly subject: string;
  published: Amount;
  delivered: Amount;
  requests: number;
  stored: Stored;
};

const nothing = () => ({
  published: NONE,
  delivered: NONE,
  requests: 0,
  stored: NOTHING_STORED,
});

const startOf = (hour: number, { step }: Span): number => hour - (hour % step);

type At = (hour: number, subject: string) => Sums;

const plus = (a: Amount, events = 0, bytes = 0): Amount => ({
  events: a.events + events,
  bytes: a.bytes + bytes,
});

function addUsed(at: At, row: UsedRow, by: UsageBy, { from, to }: Span): void {
  if (row.hour < from || row.hour >= to) return;
  if (by === "stream" && row.stream === NO_STREAM) return;
  const subject = { stream: row.stream, key: row.keyId, tenant: row.tenant }[by];
  const sums = at(row.hour, subject);
  sums.requests += row.requests ?? 0;
  sums.delivered = plus(sums.delivered, row.delivered, row.deliveredBytes);
  if (by === "key") sums.published = plus(sums.published, row.published, row.publishedBytes);
}

/** Replaces the stream's name in requests that concern no stream. */
export const NO_STREAM = "-";

function addLog(at: At, part: PartitionHours, by: "stream" | "tenant", span: Span): void {
  const { from, to, step } = span;
  const name = streamOf(part.life);
  const subject = by === "stream" ? bareName(name) : ownerOf(name);
  for (const [hour, { events, bytes }] of part.hours) {
    if (hour < from || hour >= to || events === 0) continue;
    const sums = at(hour, subject);
    sums.published = plus(sums.published, events, bytes);
  }
  const stored = storedBy(part);
  for (let hour = from; hour < to; hour += step - (hour % step)) {
    const last = Math.min(to, hour - (hour % step) + step) - 1;
    const { hot, compacted, archived } = stored(last);
    if (hot === 0 && compacted === 0 && archived === 0) continue;
    const sums = at(hour, subject);
    sums.stored = {
      hot: sums.stored.hot + hot,
      compacted: sums.stored.compacted + compacted,
      archived: sums.stored.archived + archived,
    };
  }
}

const streamOf = (life: Life): ScopedName => life.slice(0, life.indexOf("#")) as ScopedName;

/** The number of hours of a step. */
export const STEP_HOURS = { hour: 1, day: HOURS_OF_DAY } as const;
