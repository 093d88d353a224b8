import type { Position } from "../model/position.ts";
import {
  type Bootstrap,
  type Difference,
  isPending,
  isScanned,
} from "../model/snapshot-progress.ts";
import { createPacker, createUnpacker } from "./pack.ts";

/**
 * The content of a cursor. In a partition without a position, reading begins with the first event
 * published at `since` (milliseconds since 1970) or later, or with the earliest one.
 */
export type CursorContent = {
  /** The life of the stream that it belongs to: see `lifeText`. */
  readonly life: string;
  /** The subscription and its generation. Absent when the cursor reads the stream itself. */
  readonly subscription?: { readonly uid: string; readonly generation: number };
  readonly positions: readonly (Position | undefined)[];
  readonly since?: number;
  /**
   * Everything published at this time or later could be read when the cursor was made. Absent if
   * that is `since`, and in cursors of earlier versions.
   */
  readonly keptSince?: number;
  /** The fencing token of the lease for each position, in a worker's cursor. */
  readonly tokens?: readonly (number | undefined)[];
  /**
   * How often keys had been released in each partition when the page of the cursor was read. Absent
   * if never.
   */
  readonly releaseCounts?: readonly number[];
  /**
   * True if keys had been parked in this generation when the cursor was read. Its pages may then
   * have withheld events.
   */
  readonly parked?: true;
  /** The progress in the queue of a parked key. */
  readonly queue?: QueuePlace;
  /** The partition that the next page starts with. */
  readonly nextPartition: number;
  /** The bootstrap, until everything that its snapshot left out has been read from the log. */
  readonly bootstrap?: Bootstrap;
  /** The key prefix of the list, in a cursor of a list of the compacted state. */
  readonly listed?: string;
};

/**
 * A place in the queue of a parked key. `id` identifies the parked key in its partition, and the
 * retry.
 */
export type QueuePlace = Position & { readonly partition: number; readonly id: number };

/**
 * The flag of each part that a cursor may lack. Earlier code ignores `listed`, `until`, `keptSince`
 * and the bytes after the bootstrap, so it can read such a cursor after a rollback. It refuses a
 * difference, which it takes for a bootstrap of 1970.
 */
const FLAGS = {
  subscription: 1,
  since: 2,
  bootstrap: 4,
  tokens: 8,
  releaseCounts: 16,
  queue: 32,
  parked: 128,
  listed: 256,
  until: 512,
  difference: 1_024,
  keptSince: 2_048,
} as const;

/** Set in cursors of earlier versions, which have the prefix of the list before the bootstrap. */
const LISTED_BEFORE = 64;

const PARTS = Object.keys(FLAGS) as (keyof typeof FLAGS)[];

const flagsOf = (content: CursorContent): number => {
  const { until, difference } = content.bootstrap ?? {};
  const parts = { ...content, until, difference };
  return PARTS.reduce((sum, part) => sum + (parts[part] === undefined ? 0 : FLAGS[part]), 0);
};

/**
 * Packs a cursor's content: about 1 KB with 64 partitions, 1.8 KB in a bootstrap with long keys.
 */
export function packCursor(content: CursorContent): Uint8Array {
  const { subscription, since, keptSince, nextPartition, bootstrap, queue, listed } = content;
  const out = createPacker();
  out.number(flagsOf(content));
  out.text(content.life);
  if (subscription !== undefined) {
    out.text(subscription.uid);
    out.number(subscription.generation);
  }
  if (since !== undefined) out.number(since);
  out.number(nextPartition);
  packPositions(out, content);
  if (queue !== undefined) {
    for (const part of [queue.partition, queue.id, queue.batch, queue.next]) out.number(part);
  }
  if (bootstrap !== undefined) packBootstrap(out, bootstrap, content.positions.length);
  if (listed !== undefined) out.text(listed);
  if (bootstrap?.until !== undefined) out.number(bootstrap.until);
  if (bootstrap?.difference !== undefined) packDifference(out, bootstrap.difference);
  if (keptSince !== undefined) out.number(keptSince);
  return out.finish();
}

/** Packs the positions of all partitions, and then what is known about each of them. */
function packPositions(
  out: ReturnType<typeof createPacker>,
  { positions, tokens, releaseCounts }: CursorContent,
): void {
  out.number(positions.length);
  for (const position of positions) {
    out.number(position?.next ?? 0);
    if (position !== undefined) out.number(position.next - position.batch);
  }
  if (tokens !== undefined) for (const at of positions.keys()) out.number(tokens[at] ?? 0);
  if (releaseCounts !== undefined)
    for (const at of positions.keys()) out.number(releaseCounts[at] ?? 0);
}

function packBootstrap(
  out: ReturnType<typeof createPacker>,
  bootstrap: Bootstrap,
  partitions: number,
): void {
  const { scan, run, startedAt, exactFrom, difference } = bootstrap;
  out.text(scan);
  if (isPending(bootstrap) && difference === undefined) return;
  out.text(run);
  out.number(startedAt);
  for (let at = 0; at < partitions; at++) out.number(exactFrom[at] ?? 0);
}

function packDifference(
  out: ReturnType<typeof createPacker>,
  { since, startedAt }: Difference,
): void {
  out.number(startedAt);
  out.number(since.length);
  for (const { next, batch } of since) {
    out.number(next);
    out.number(next - batch);
  }
}

export function unpackCursor(bytes: Uint8Array): CursorContent {
  const from = createUnpacker(bytes);
  const flags = from.number();
  const has = (flag: number) => (flags & flag) !== 0;
  const life = from.text();
  const subscription = has(FLAGS.subscription)
    ? { subscription: { uid: from.text(), generation: from.number() } }
    : {};
  const since = has(FLAGS.since) ? { since: from.number() } : {};
  const nextPartition = from.number();
  const positions = Array.from({ length: from.number() }, (): Position | undefined => {
    const next = from.number();
    return next === 0 ? undefined : { next, batch: next - from.number() };
  });
  const tokens = has(FLAGS.tokens)
    ? { tokens: positions.map(() => from.number() || undefined) }
    : {};
  const releaseCounts = has(FLAGS.releaseCounts)
    ? { releaseCounts: positions.map(() => from.number()) }
    : {};
  const queue = has(FLAGS.queue) ? { queue: unpackQueue(from) } : {};
  const listedBefore = has(LISTED_BEFORE) ? { listed: from.text() } : {};
  const shown = has(FLAGS.bootstrap) ? unpackBootstrap(from, positions) : undefined;
  const listed = has(FLAGS.listed) ? { listed: from.text() } : listedBefore;
  const until = has(FLAGS.until) ? { until: from.number() } : {};
  const difference = has(FLAGS.difference) ? unpackDifference(from) : undefined;
  const keptSince = has(FLAGS.keptSince) ? { keptSince: from.number() } : {};
  const bootstrap =
    shown === undefined ? {} : { bootstrap: withDifference({ ...shown, ...until }, difference) };
  return {
    life,
    ...subscription,
    ...since,
    ...keptSince,
    nextPartition,
    positions,
    ...tokens,
    ...releaseCounts,
    ...queue,
    ...listed,
    ...bootstrap,
    ...(has(FLAGS.parked) ? { parked: true } : {}),
  };
}

function unpackQueue(from: ReturnType<typeof createUnpacker>): QueuePlace {
  const [partition, id] = [from.number(), from.number()];
  return { partition, id, batch: from.number(), next: from.number() };
}

/** While a snapshot is being read, the positions say where the log is read after the snapshot. */
function unpackBootstrap(
  from: ReturnType<typeof createUnpacker>,
  positions: readonly (Position | undefined)[],
): Bootstrap {
  const place = { run: "", startedAt: 0, scan: from.text(), starts: [], exactFrom: [] };
  if (isPending(place)) return place;
  const run = from.text();
  const startedAt = from.number();
  const exactFrom = positions.map(() => from.number());
  const starts = isScanned(place) ? [] : positions.map((position) => position?.batch ?? 1);
  return { ...place, run, startedAt, starts, exactFrom };
}

function unpackDifference(from: ReturnType<typeof createUnpacker>): Difference {
  const startedAt = from.number();
  const since = Array.from({ length: from.number() }, (): Position => {
    const next = from.number();
    return { next, batch: next - from.number() };
  });
  return { since, startedAt };
}

function withDifference(bootstrap: Bootstrap, difference: Difference | undefined): Bootstrap {
  if (difference === undefined) return bootstrap;
  const whole = { ...bootstrap, difference };
  return isPending(whole) ? { ...whole, starts: [], exactFrom: [] } : whole;
}
