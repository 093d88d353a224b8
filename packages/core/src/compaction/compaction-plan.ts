import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { entryOf, packEvents, sizeOf, unpackBatch } from "../log/codec.ts";
import { type BatchTime, LARGE_BATCH_BYTES, withBatchTimes } from "../model/batch-times.ts";
import { isTombstone, type RawJson, type StoredEvent } from "../model/event.ts";
import { bucketOf } from "../model/partition.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { type Bootstrap, begunAt } from "../model/snapshot-progress.ts";
import { hourOf } from "../model/usage.ts";
import { type Batch, isLast } from "../table/batch.ts";
import type { Checkpoint, Pin } from "../table/checkpoint.entity.ts";
import type { CompactedRow, Version } from "../table/compacted-row.ts";

/** The maximum duration of a bootstrap. A slower one has to start over. */
const BOOTSTRAP_AGE_MAX_MS = DAY_MS;

/**
 * How long a tombstone stays. This is longer than any bootstrap (`BOOTSTRAP_AGE_MAX_MS`), and
 * longer than a run may take from its read to its writes (`SECTION_AGE_MAX_MS`). So neither can
 * find the deleted key's former state without its deletion ([compaction.tombstone]).
 */
export const TOMBSTONE_KEEP_MS = 7 * DAY_MS;

/**
 * A place in a section, and a summary of the events from the start of the section to that place.
 */
export type SafePoint = {
  readonly to: number;
  readonly events: number;
  readonly bytes: number;
  /** The publication time of the last event before `to`, in milliseconds since 1970. */
  readonly publishedAt: number;
  /** The number of keys with an event before `to`. */
  readonly keys: number;
  /** The checkpoint may stop here. The size of each key's version at this place is known. */
  isStop?: true;
  /** The writer of the last batch before `to` had to wait for another one. */
  readonly waited?: true;
};

/** A place without what concerns keys. */
export type Place = Omit<SafePoint, "keys" | "isStop" | "waited">;

/** The part of the log that a run has read so far, reduced to the last event of every key. */
export type Section = Place & {
  readonly from: number;
  /** The keys are in the order of their first occurrence. */
  readonly latest: Map<string, StoredEvent>;
  /** The batches that cost more than one read unit, for the checkpoint. */
  readonly large: BatchTime[];
  /** The versions before the last one that keys had at places where the checkpoint may stop. */
  readonly between: Map<string, readonly Version[]>;
  /** The approximate memory that `latest` uses. */
  readonly keptBytes: number;
  /** One at the end of every batch. */
  readonly safePoints: SafePoint[];
  /** The reason why a row does not continue the section: the chain has ended, or it is damaged. */
  readonly stop: "end" | "gap" | undefined;
};

export const emptySection = (from: number): Section => ({
  from,
  to: from,
  events: 0,
  bytes: 0,
  publishedAt: 0,
  latest: new Map(),
  large: [],
  between: new Map(),
  keptBytes: 0,
  safePoints: [],
  stop: undefined,
});

/**
 * Extends a section by stored rows. A row belongs to it only if it starts exactly where the section
 * ends. With `keepKeys` off, events are counted without unpacking them. The given section must not
 * be used afterwards: its keys are too many to copy for each page, so they are reused.
 */
export function extendSection(
  section: Section,
  rows: readonly Batch[],
  { keepKeys }: { keepKeys: boolean },
): Section {
  const { latest, between, large, safePoints } = section;
  let { to, events, bytes, publishedAt, keptBytes, stop } = section;
  let lastStop = safePoints.findLast(({ isStop }) => isStop === true)?.to ?? section.from;
  const touched = new Set<string>();
  for (const batch of rows) {
    if (batch.first !== to) stop = "gap";
    else if (isLast(batch)) stop = "end";
    if (stop !== undefined) break;
    const replaced = new Map<string, StoredEvent>();
    for (const event of keepKeys ? unpackBatch(batch) : []) {
      const former = latest.get(event.key);
      if (former !== undefined && former.sequence < to) replaced.set(event.key, former);
      keptBytes += keptBytesOf(event) - keptBytesOf(former);
      latest.set(event.key, event);
      touched.add(event.key);
    }
    if (batch.payload.length >= LARGE_BATCH_BYTES) {
      large.push({ first: to, next: to + batch.count, publishedAt: batch.publishedAt });
    }
    const before = safePoints.at(-1);
    const isLater = before !== undefined && hourOf(batch.publishedAt) > hourOf(publishedAt);
    if (before !== undefined && (isLater || stepOf(before.keys) < stepOf(latest.size))) {
      before.isStop = true;
      lastStop = before.to;
    }
    for (const [key, former] of replaced) {
      if (former.sequence >= lastStop) continue;
      const version = [former.sequence, rawBytesOf(former)] as const;
      between.set(key, [...(between.get(key) ?? []), version]);
    }
    to += batch.count;
    events += batch.kind === "jump" ? 0 : batch.count;
    bytes += batch.rawBytes;
    publishedAt = batch.publishedAt;
    const keys = latest.size;
    const waited = hasWaited(batch) ? ({ waited: true } as const) : {};
    safePoints.push({ to, events, bytes, publishedAt, keys, ...waited });
  }
  for (const key of touched) detach(latest, key);
  return { ...section, to, events, bytes, publishedAt, keptBytes, stop };
}

/** Returns whether other writers had to append before the one of this batch. */
const hasWaited = ({ ticket, free = 0 }: Batch): boolean => ticket !== undefined && free === 0;

/**
 * The checkpoint may stop where the number of keys has about doubled, and at the end of an hour. So
 * a run that is cut short has done at least half of what it could, and a row keeps few versions.
 */
const stepOf = (keys: number): number => (keys === 0 ? -1 : Math.floor(Math.log2(keys)));

/** Returns the size that an event has in a compacted row. */
export const rawBytesOf = (event: StoredEvent): number =>
  isTombstone(event) ? 0 : sizeOf(entryFrom(event));

/** The memory of an event in addition to its data. */
const EVENT_BYTES = 256;

const keptBytesOf = (event: StoredEvent | undefined): number =>
  event === undefined ? 0 : event.data.length + event.key.length + EVENT_BYTES;

/**
 * Copies the data of an event. It is a slice of its batch's text, and would keep the whole text in
 * memory.
 */
function detach(latest: Map<string, StoredEvent>, key: string): void {
  const event = latest.get(key);
  if (event === undefined) return;
  latest.set(key, { ...event, data: Buffer.from(event.data).toString() as RawJson });
}

/**
 * Returns how far the checkpoint may move after the first `rowsPut` rows of a section are put.
 * Every key with an event before that place then has a row that is at least as new as that event,
 * as if two runs had read the section in two parts. Pure.
 */
export const planSafePoint = (
  { safePoints }: { readonly safePoints: readonly SafePoint[] },
  rowsPut: number,
): SafePoint | undefined =>
  safePoints.findLast(({ isStop, keys }) => isStop === true && keys <= rowsPut);

/**
 * Yields the compacted rows of a section: the last event of each key, in the order of `latest`.
 * Each row is packed on demand, so the first can be put before the last is packed. Pure.
 */
export function* planRows(
  { latest, between }: Pick<Section, "latest" | "between">,
  { partition, nowMs }: { partition: number; nowMs: number },
): Generator<CompactedRow> {
  for (const event of latest.values()) {
    const { key, sequence, publishedAt } = event;
    const versions = between.get(key);
    const place = {
      ...{ key, bucket: bucketOf(key), partition, sequence, publishedAt },
      ...(versions === undefined ? {} : { between: versions }),
    };
    if (isTombstone(event)) {
      const expiresAt = Math.ceil((nowMs + TOMBSTONE_KEEP_MS) / 1_000);
      yield { ...place, deleted: true, rawBytes: 0, expiresAt };
    } else {
      yield { ...place, ...packEvent(event) };
    }
  }
}

const packEvent = (event: StoredEvent) => packEvents([entryFrom(event)]);

function entryFrom({ key, type, id, time, headers, data }: StoredEvent) {
  const attributes = {
    key,
    id,
    ...(type === undefined ? {} : { type }),
    ...(time === undefined ? {} : { time }),
    ...(headers === undefined ? {} : { headers }),
  };
  return entryOf({ attributes, data });
}

/** Returns the event of a compacted row, exactly as in the log. Undefined for a tombstone. */
export function eventOf({ sequence, publishedAt, rawBytes, payload }: CompactedRow) {
  if (payload === undefined) return undefined;
  const batchId = new Uint8Array(16);
  const batch = { first: sequence, count: 1, batchId, publishedAt, rawBytes, payload };
  return unpackBatch(batch)[0];
}

/**
 * Returns the changes of a checkpoint that moves from the start of a section to `to`, a safe point
 * or the end. `seen` is the end of the log as read at `atMs`, before the section. If `to` reaches
 * that end, every event older than `atMs` is compacted. Otherwise each remaining event was
 * published, and expires, no earlier than the last event before `to`. The stored times never
 * decrease, unless they cannot be true.
 */
export function planMove(
  stored: Checkpoint,
  { to, events, bytes, publishedAt }: Place,
  seen: { readonly next: number; readonly atMs: number },
): Partial<Checkpoint> & Pick<Checkpoint, "next" | "checkedAt" | "events"> {
  const checkpoint = { ...stored, ...believed(stored, seen.atMs) };
  const throughMs = to >= seen.next ? seen.atMs : Math.min(publishedAt, seen.atMs);
  return {
    next: to,
    checkedAt: Math.max(checkpoint.checkedAt, throughMs),
    compactedThrough: Math.max(checkpoint.compactedThrough, throughMs),
    events: checkpoint.events + events,
    bytes: checkpoint.bytes + bytes,
    failures: 0,
  };
}

/** Returns the times of the last large batches up to `to`, a place in a section. Pure. */
export const planTimes = (
  { times }: Pick<Checkpoint, "times">,
  { large }: Pick<Section, "large">,
  to: number,
): Pick<Checkpoint, "times"> => {
  const passed = large.filter(({ next }) => next <= to);
  return passed.length === 0 ? {} : { times: withBatchTimes(times, passed) };
};

/**
 * Returns the new floor: the first batch inside the retention (`edge`). The floor passes neither
 * the compacted position nor a pin. On an archived stream it does not pass the archive watermark
 * either. It never moves back.
 */
export const planFloor = (checkpoint: Checkpoint, edge: number, nowMs: number): number =>
  Math.max(
    checkpoint.floor,
    Math.min(
      edge,
      checkpoint.next,
      archivedBound(checkpoint),
      ...openPins(checkpoint, nowMs).map(({ at }) => at),
    ),
  );

/** Returns the archive watermark of an archived stream. Nothing after it may leave the table. */
const archivedBound = ({ archiving, archivedTo = 0 }: Checkpoint): number =>
  archiving === true ? archivedTo : Infinity;

/**
 * Returns the pins plus one for a bootstrap that starts at the checkpoint now. Undefined when an
 * existing pin covers it. Pins end at full hours, at least one hour plus the allowed clock skew
 * after the bootstrap's deadline. So there are never many more of them than hours in a day.
 */
export function planPins(checkpoint: Checkpoint, nowMs: number): readonly Pin[] | undefined {
  const open = openPins(checkpoint, nowMs);
  const until = (Math.ceil((nowMs + PIN_MS) / HOUR_MS) + 1) * HOUR_MS;
  const held = open.some((pin) => pin.until >= until && pin.at <= checkpoint.next);
  return held ? undefined : [...open, { at: checkpoint.next, until }];
}

const PIN_MS = BOOTSTRAP_AGE_MAX_MS + CLOCKS_APART_MS;

/**
 * Returns the open pins. A pin that ends later than any pin can is left out: its writer's clock was
 * wrong. `isOpen` refuses its bootstrap, so the pin is not needed.
 */
const openPins = ({ pins = [] }: Checkpoint, nowMs: number): readonly Pin[] =>
  pins.filter(
    ({ until }) => until > nowMs && until <= nowMs + PIN_MS + 2 * HOUR_MS + CLOCKS_APART_MS,
  );

/**
 * Returns whether a bootstrap may continue. It must have begun less than a day ago, and not in the
 * future. Pure.
 */
export const isOpen = (
  bootstrap: Pick<Bootstrap, "startedAt" | "difference">,
  nowMs: number,
): boolean =>
  nowMs - begunAt(bootstrap) <= BOOTSTRAP_AGE_MAX_MS &&
  begunAt(bootstrap) - nowMs <= CLOCKS_APART_MS;

/**
 * Returns the times of a checkpoint that can be true. A time that is ahead by more than the allowed
 * clock skew becomes 0, so that the next check writes the right one. Pure.
 */
export const believed = (
  { checkedAt, compactedThrough }: Pick<Checkpoint, "checkedAt" | "compactedThrough">,
  nowMs: number,
): Pick<Checkpoint, "checkedAt" | "compactedThrough"> => {
  const latest = nowMs + CLOCKS_APART_MS;
  return {
    checkedAt: checkedAt > latest ? 0 : checkedAt,
    compactedThrough: compactedThrough > latest ? 0 : compactedThrough,
  };
};
