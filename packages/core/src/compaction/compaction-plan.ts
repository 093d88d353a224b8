import { DAY_MS } from "../kernel/time.ts";
import { withBatchTimes } from "../model/batch-times.ts";
import { isTombstone } from "../model/event.ts";
import { bucketOf } from "../model/partition.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { CompactedRow } from "../table/compacted-row.ts";
import { packEvent } from "./compacted-event.ts";
import type { Place, Section } from "./section.ts";

/**
 * How long a tombstone stays. This is longer than any bootstrap (`BOOTSTRAP_AGE_MAX_MS`), and
 * longer than a run may take from its read to its writes (`SECTION_AGE_MAX_MS`). So neither can
 * find the deleted key's former state without its deletion ([compaction.tombstone]).
 */
export const TOMBSTONE_KEEP_MS = 7 * DAY_MS;

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
