import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { packEvents, unpackBatch } from "../log/codec.ts";
import { isTombstone, type StoredEvent } from "../model/event.ts";
import { bucketOf } from "../model/partition.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { Batch } from "../table/batch.entity.ts";
import type { Checkpoint, Pin } from "../table/checkpoint.entity.ts";
import type { CompactedRow } from "../table/compacted.entity.ts";

/** A bootstrap that takes longer has to start over. */
const BOOTSTRAP_AGE_MAX_MS = DAY_MS;

/**
 * How long a tombstone stays: longer than a bootstrap may take and a run may be paused, so that
 * neither can meet the key's former state as if it had never been deleted.
 */
export const TOMBSTONE_KEEP_MS = 7 * DAY_MS;

/** A place in a stretch that the checkpoint may move to, and what lies between it and the start. */
export type Milestone = {
  readonly to: number;
  readonly events: number;
  readonly bytes: number;
  /** When the last event before it was published, milliseconds since 1970. */
  readonly publishedAt: number;
  /** How many keys have an event before it. */
  readonly keys: number;
};

/** What a run has read so far: a stretch of the log, reduced to the last event of every key. */
export type Stretch = Omit<Milestone, "keys"> & {
  readonly from: number;
  /** In the order in which the keys first occur. */
  readonly latest: ReadonlyMap<string, StoredEvent>;
  /** The end of every batch. */
  readonly milestones: readonly Milestone[];
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
  milestones: [],
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
  const milestones = [...stretch.milestones];
  for (const batch of rows) {
    if (batch.first !== to) stop = "gap";
    else if (batch.kind === "seal") stop = "seal";
    if (stop !== undefined) break;
    if (keepKeys) for (const event of unpackBatch(batch)) latest.set(event.key, event);
    to += batch.count;
    events += batch.kind === "jump" ? 0 : batch.count;
    bytes += batch.rawBytes;
    publishedAt = batch.publishedAt;
    milestones.push({ to, events, bytes, publishedAt, keys: latest.size });
  }
  return { ...stretch, to, events, bytes, publishedAt, latest, milestones, stop };
}

/**
 * How far the checkpoint may move when the first `rowsPut` rows of a stretch are put: every key
 * that has an event before there has a row by then, as new as that event or newer, as if the
 * stretch had been read in two parts by two runs. Pure.
 */
export const planMilestone = (
  { milestones }: Pick<Stretch, "milestones">,
  rowsPut: number,
): Milestone | undefined => milestones.findLast(({ keys }) => keys <= rowsPut);

/**
 * The compacted rows of a stretch: one per key, its last event, in the order of `latest`. Each is
 * packed when it is asked for, so that the first can be put before the last is packed. Pure.
 */
export function* planRows(
  { latest }: Pick<Stretch, "latest">,
  { partition, nowMs }: { partition: number; nowMs: number },
): Generator<CompactedRow> {
  for (const event of latest.values()) {
    const { key, sequence, publishedAt } = event;
    const place = { key, bucket: bucketOf(key), partition, sequence, publishedAt };
    if (isTombstone(event)) {
      const expiresAt = Math.ceil((nowMs + TOMBSTONE_KEEP_MS) / 1_000);
      yield { ...place, deleted: true, rawBytes: 0, expiresAt };
    } else {
      yield { ...place, ...packEvent(event) };
    }
  }
}

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
 * `checkpoint`, which is at the start of a stretch, once it has moved to a place in it: a
 * milestone, or the end. `seen` is an end that was read at `atMs`, before the stretch: if the place
 * reaches it, nothing older than `atMs` is left to lose. Otherwise what is left was published, and
 * expires, no earlier than the last event before the place. Times never fall, unless they cannot be
 * true.
 */
export function planMove(
  stored: Checkpoint,
  { to, events, bytes, publishedAt }: Omit<Milestone, "keys">,
  seen: { readonly next: number; readonly atMs: number },
): Partial<Checkpoint> & Pick<Checkpoint, "next" | "lookedAt"> {
  const checkpoint = { ...stored, ...believed(stored, seen.atMs) };
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
 * that are there hold it already. Pins end at full hours, at least one hour after the bootstrap
 * must, and what clocks may be apart, so there are never many more than a day's hours of them.
 */
export function planPins(checkpoint: Checkpoint, nowMs: number): readonly Pin[] | undefined {
  const open = openPins(checkpoint, nowMs);
  const until = (Math.ceil((nowMs + PIN_MS) / HOUR_MS) + 1) * HOUR_MS;
  const held = open.some((pin) => pin.until >= until && pin.at <= checkpoint.next);
  return held ? undefined : [...open, { at: checkpoint.next, until }];
}

const PIN_MS = BOOTSTRAP_AGE_MAX_MS + CLOCKS_APART_MS;

/**
 * A pin that would last for longer than any can was written by a clock that is off: its bootstrap
 * is refused, see `isOpen`, so that it need not be kept.
 */
const openPins = ({ pins = [] }: Checkpoint, nowMs: number): readonly Pin[] =>
  pins.filter(
    ({ until }) => until > nowMs && until <= nowMs + PIN_MS + 2 * HOUR_MS + CLOCKS_APART_MS,
  );

/** Whether a bootstrap may go on: it was begun less than a day ago, and not in the future. Pure. */
export const isOpen = ({ startedAt }: Pick<Bootstrap, "startedAt">, nowMs: number): boolean =>
  nowMs - startedAt <= BOOTSTRAP_AGE_MAX_MS && startedAt - nowMs <= CLOCKS_APART_MS;

/**
 * The times of a checkpoint as far as they can be true: one that lies further ahead than clocks may
 * be apart counts as none, so that the next check writes the right one. Pure.
 */
export const believed = (
  { lookedAt, compactedThrough }: Pick<Checkpoint, "lookedAt" | "compactedThrough">,
  nowMs: number,
): Pick<Checkpoint, "lookedAt" | "compactedThrough"> => {
  const latest = nowMs + CLOCKS_APART_MS;
  return {
    lookedAt: lookedAt > latest ? 0 : lookedAt,
    compactedThrough: compactedThrough > latest ? 0 : compactedThrough,
  };
};
