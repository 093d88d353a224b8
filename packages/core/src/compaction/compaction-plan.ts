import { COMPACTED_BUCKETS } from "../kernel/bootstrap.ts";
import { packEvents, unpackBatch } from "../log/codec.ts";
import { isTombstone, type StoredEvent } from "../log/event.ts";
import { hashKey } from "../log/partition.ts";
import type { Batch } from "../table/batch.entity.ts";
import type { Checkpoint, Pin } from "../table/checkpoint.entity.ts";
import type { CompactedRow } from "../table/compacted.entity.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A bootstrap that takes longer has to start over. */
export const BOOTSTRAP_AGE_MAX_MS = DAY_MS;

/**
 * How long a tombstone stays: longer than a bootstrap may take and a run may be paused, so that
 * neither can meet the key's former state as if it had never been deleted.
 */
export const TOMBSTONE_KEEP_MS = 7 * DAY_MS;

/** What a run has read so far: a stretch of the log, reduced to the last event of every key. */
export type Stretch = {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly bytes: number;
  /** When the last event of the stretch was published, milliseconds since 1970. */
  readonly publishedAt: number;
  readonly latest: ReadonlyMap<string, StoredEvent>;
  /** A row that does not continue the stretch was met: a seal, or damage. */
  readonly stop: "seal" | "gap" | undefined;
};

export const emptyStretch = (from: number): Stretch => ({
  from,
  to: from,
  events: 0,
  bytes: 0,
  publishedAt: 0,
  latest: new Map(),
  stop: undefined,
});

/**
 * Goes on with a stretch through stored rows: only what starts exactly where the stretch ends
 * belongs to it. `keepKeys` off counts events without looking into them.
 */
export function extendStretch(
  stretch: Stretch,
  rows: readonly Batch[],
  { keepKeys }: { keepKeys: boolean },
): Stretch {
  let { to, events, bytes, publishedAt, stop } = stretch;
  const latest = new Map(stretch.latest);
  for (const batch of rows) {
    if (batch.first !== to) stop = "gap";
    else if (batch.kind === "seal") stop = "seal";
    if (stop !== undefined) break;
    if (keepKeys) for (const event of unpackBatch(batch)) latest.set(event.key, event);
    to += batch.count;
    events += batch.count;
    bytes += batch.rawBytes;
    publishedAt = batch.publishedAt;
  }
  return { ...stretch, to, events, bytes, publishedAt, latest, stop };
}

/** The compacted rows of a stretch: one per key, its last event. Pure. */
export const planRows = (
  { latest }: Pick<Stretch, "latest">,
  { partition, nowMs }: { partition: number; nowMs: number },
): CompactedRow[] =>
  [...latest.values()].map((event) => {
    const { key, sequence, publishedAt } = event;
    const place = { key, bucket: bucketOf(key), partition, sequence, publishedAt };
    if (isTombstone(event)) {
      const expiresAt = Math.ceil((nowMs + TOMBSTONE_KEEP_MS) / 1_000);
      return { ...place, deleted: true, rawBytes: 0, expiresAt };
    }
    return { ...place, ...packEvent(event) };
  });

/** Which bucket of the compacted state holds a key. Other bits of the hash choose the partition. */
export const bucketOf = (key: string): number =>
  Math.floor(hashKey(key) / 2 ** 28) % COMPACTED_BUCKETS;

function packEvent({ key, type, id, time, headers, data }: StoredEvent) {
  const attributes = {
    key,
    id,
    ...(type === undefined ? {} : { type }),
    ...(time === undefined ? {} : { time }),
    ...(headers === undefined ? {} : { headers }),
  };
  return packEvents([{ attributes, data }]);
}

/** The event of a compacted row, exactly as the log holds it. Undefined for a tombstone. */
export function eventOf({ sequence, publishedAt, rawBytes, payload }: CompactedRow) {
  if (payload === undefined) return undefined;
  const batchId = new Uint8Array(16);
  const batch = { first: sequence, count: 1, batchId, publishedAt, rawBytes, payload };
  return unpackBatch(batch)[0];
}

/**
 * The checkpoint once all rows of a stretch are put. `seen` is an end that was read at `atMs`, before
 * the stretch: if the stretch reaches it, nothing older than `atMs` is left to lose. Otherwise what
 * is left was published, and expires, no earlier than the stretch's last event. Times never fall.
 */
export function planMove(
  checkpoint: Checkpoint,
  { to, events, bytes, publishedAt }: Omit<Stretch, "latest" | "stop" | "from">,
  seen: { readonly next: number; readonly atMs: number },
): Partial<Checkpoint> & Pick<Checkpoint, "next" | "lookedAt"> {
  const throughMs = to >= seen.next ? seen.atMs : Math.min(publishedAt, seen.atMs);
  return {
    next: to,
    lookedAt: Math.max(checkpoint.lookedAt, throughMs),
    compactedThrough: Math.max(checkpoint.compactedThrough, throughMs),
    events: checkpoint.events + events,
    bytes: checkpoint.bytes + bytes,
    failures: 0,
  };
}

/**
 * Where the floor may go: to `edge`, the first batch inside the retention, but neither past what is
 * compacted nor past a pin, and never back.
 */
export const planFloor = (checkpoint: Checkpoint, edge: number, nowMs: number): number =>
  Math.max(
    checkpoint.floor,
    Math.min(edge, checkpoint.next, ...openPins(checkpoint, nowMs).map(({ at }) => at)),
  );

/**
 * The pins with one more for a bootstrap that starts at the checkpoint now, or undefined when those
 * that are there hold it already. Pins end at full hours, at least one hour after the bootstrap must,
 * so there are never more than a day's hours of them.
 */
export function planPins(checkpoint: Checkpoint, nowMs: number): readonly Pin[] | undefined {
  const open = openPins(checkpoint, nowMs);
  const until = (Math.ceil((nowMs + BOOTSTRAP_AGE_MAX_MS) / HOUR_MS) + 1) * HOUR_MS;
  const held = open.some((pin) => pin.until >= until && pin.at <= checkpoint.next);
  return held ? undefined : [...open, { at: checkpoint.next, until }];
}

const openPins = ({ pins = [] }: Checkpoint, nowMs: number): readonly Pin[] =>
  pins.filter(({ until }) => until > nowMs);
