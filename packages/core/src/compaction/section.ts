import { unpackBatch } from "../log/codec.ts";
import { type BatchTime, LARGE_BATCH_BYTES } from "../model/batch-times.ts";
import type { RawJson, StoredEvent } from "../model/event.ts";
import { hourOf } from "../model/usage.ts";
import { type Batch, isLast } from "../table/batch.ts";
import type { Version } from "../table/compacted-row.ts";
import { rawBytesOf } from "./compacted-event.ts";

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
    stop ??= stopAt(batch, to);
    if (stop !== undefined) break;
    const taken = keepKeys ? unpackBatch(batch) : [];
    const { replaced, grownBytes } = takeLatest(latest, taken, to);
    for (const { key } of taken) touched.add(key);
    keptBytes += grownBytes;
    if (batch.payload.length >= LARGE_BATCH_BYTES) {
      large.push({ first: to, next: to + batch.count, publishedAt: batch.publishedAt });
    }
    const before = safePoints.at(-1);
    if (before !== undefined && mayStopBefore(batch, before, latest.size)) {
      before.isStop = true;
      lastStop = before.to;
    }
    keepVersions(between, replaced, lastStop);
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

/** Returns the reason why a row does not continue a section that ends at `to`, if there is one. */
function stopAt(batch: Batch, to: number): Section["stop"] {
  if (batch.first !== to) return "gap";
  return isLast(batch) ? "end" : undefined;
}

/**
 * Makes the events of a batch that begins at `from` the latest of their keys. Returns the events
 * from before the batch that they replace, and by how much the memory of the section grows.
 */
function takeLatest(latest: Section["latest"], events: readonly StoredEvent[], from: number) {
  const replaced: StoredEvent[] = [];
  let grownBytes = 0;
  for (const event of events) {
    const former = latest.get(event.key);
    if (former !== undefined && former.sequence < from) replaced.push(former);
    grownBytes += keptBytesOf(event) - keptBytesOf(former);
    latest.set(event.key, event);
  }
  return { replaced, grownBytes };
}

/** Keeps the sizes of replaced events that the checkpoint can meet at `lastStop`. */
function keepVersions(
  between: Section["between"],
  replaced: readonly StoredEvent[],
  lastStop: number,
): void {
  for (const former of replaced) {
    if (former.sequence >= lastStop) continue;
    const version = [former.sequence, rawBytesOf(former)] as const;
    between.set(former.key, [...(between.get(former.key) ?? []), version]);
  }
}

/**
 * Returns whether the checkpoint may stop before a batch, after which there are `keys` keys: where
 * the number of keys has about doubled, and at the end of an hour. So a run that is cut short has
 * done at least half of what it could, and a row keeps few versions.
 */
const mayStopBefore = (batch: Batch, before: SafePoint, keys: number): boolean =>
  hourOf(batch.publishedAt) > hourOf(before.publishedAt) || stepOf(before.keys) < stepOf(keys);

const stepOf = (keys: number): number => (keys === 0 ? -1 : Math.floor(Math.log2(keys)));

/** Returns whether other writers had to append before the one of this batch. */
const hasWaited = ({ ticket, free = 0 }: Batch): boolean => ticket !== undefined && free === 0;

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
