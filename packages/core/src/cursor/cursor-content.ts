import type { Position } from "../model/position.ts";
import { type Bootstrap, isPending, isScanned } from "../model/snapshot-progress.ts";
import { createPacker, createUnpacker } from "./pack.ts";

/**
 * The content of a cursor. In a partition without a position, reading begins with the first event
 * published at `since` (milliseconds since 1970) or later.
 */
export type CursorContent = {
  /** The life of the stream that it belongs to: see `lifeText`. */
  readonly life: string;
  /** The subscription and its generation. Absent when the cursor reads the stream itself. */
  readonly subscription?: { readonly uid: string; readonly generation: number };
  readonly positions: readonly (Position | undefined)[];
  readonly since?: number;
  /** The fencing token of the lease for each position, in a worker's cursor. */
  readonly tokens?: readonly (number | undefined)[];
  /**
   * How often keys had been freed in each partition when the page of the cursor was read. Absent if
   * never.
   */
  readonly freed?: readonly number[];
  /**
   * True if keys had been parked in this generation when the cursor was read. Its pages may then
   * have withheld events.
   */
  readonly parked?: true;
  /** The progress in the queue of a parked key. */
  readonly queue?: QueuePlace;
  /** The partition that the next page starts with. */
  readonly turn: number;
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

const SUBSCRIPTION = 1;
const SINCE = 2;
const BOOTSTRAP = 4;
const TOKENS = 8;
const FREED = 16;
const QUEUE = 32;
/** Set in cursors of earlier versions, which have the prefix of the list before the bootstrap. */
const LISTED_BEFORE = 64;
const PARKED = 128;
/**
 * Set in cursors that end with the prefix of a list. Earlier code ignores this flag and the bytes
 * after the bootstrap, so it can read such a cursor after a rollback.
 */
const LISTED = 256;

/**
 * Packs a cursor's content: about 1 KB with 64 partitions, 1.8 KB in a bootstrap with long keys.
 */
export function packCursor(content: CursorContent): Uint8Array {
  const { subscription, positions, since, turn, tokens, bootstrap, freed, queue } = content;
  const { listed, parked } = content;
  const out = createPacker();
  out.number(
    (subscription === undefined ? 0 : SUBSCRIPTION) +
      (since === undefined ? 0 : SINCE) +
      (bootstrap === undefined ? 0 : BOOTSTRAP) +
      (tokens === undefined ? 0 : TOKENS) +
      (freed === undefined ? 0 : FREED) +
      (queue === undefined ? 0 : QUEUE) +
      (listed === undefined ? 0 : LISTED) +
      (parked === undefined ? 0 : PARKED),
  );
  out.text(content.life);
  if (subscription !== undefined) {
    out.text(subscription.uid);
    out.number(subscription.generation);
  }
  if (since !== undefined) out.number(since);
  out.number(turn);
  out.number(positions.length);
  for (const position of positions) {
    out.number(position?.next ?? 0);
    if (position !== undefined) out.number(position.next - position.batch);
  }
  if (tokens !== undefined) for (const at of positions.keys()) out.number(tokens[at] ?? 0);
  if (freed !== undefined) for (const at of positions.keys()) out.number(freed[at] ?? 0);
  if (queue !== undefined) {
    for (const part of [queue.partition, queue.id, queue.batch, queue.next]) out.number(part);
  }
  if (bootstrap !== undefined) packBootstrap(out, bootstrap);
  if (listed !== undefined) out.text(listed);
  return out.finish();
}

function packBootstrap(out: ReturnType<typeof createPacker>, bootstrap: Bootstrap): void {
  out.text(bootstrap.scan);
  if (isPending(bootstrap)) return;
  out.text(bootstrap.run);
  out.number(bootstrap.startedAt);
  for (const from of bootstrap.exactFrom) out.number(from);
}

export function unpackCursor(bytes: Uint8Array): CursorContent {
  const from = createUnpacker(bytes);
  const flags = from.number();
  const life = from.text();
  const subscription =
    (flags & SUBSCRIPTION) === 0
      ? {}
      : { subscription: { uid: from.text(), generation: from.number() } };
  const since = (flags & SINCE) === 0 ? {} : { since: from.number() };
  const turn = from.number();
  const positions = Array.from({ length: from.number() }, (): Position | undefined => {
    const next = from.number();
    return next === 0 ? undefined : { next, batch: next - from.number() };
  });
  const tokens =
    (flags & TOKENS) === 0 ? {} : { tokens: positions.map(() => from.number() || undefined) };
  const freed = (flags & FREED) === 0 ? {} : { freed: positions.map(() => from.number()) };
  const queue = (flags & QUEUE) === 0 ? {} : { queue: unpackQueue(from) };
  const listedBefore = (flags & LISTED_BEFORE) === 0 ? {} : { listed: from.text() };
  const bootstrap =
    (flags & BOOTSTRAP) === 0 ? {} : { bootstrap: unpackBootstrap(from, positions) };
  const listed = (flags & LISTED) === 0 ? listedBefore : { listed: from.text() };
  return {
    life,
    ...subscription,
    ...since,
    turn,
    positions,
    ...tokens,
    ...freed,
    ...queue,
    ...listed,
    ...bootstrap,
    ...((flags & PARKED) === 0 ? {} : { parked: true }),
  };
}

function unpackQueue(from: ReturnType<typeof createUnpacker>): QueuePlace {
  const [partition, id] = [from.number(), from.number()];
  return { partition, id, batch: from.number(), next: from.number() };
}

/** While a snapshot is being read, the positions are where the log continues after it. */
function unpackBootstrap(
  from: ReturnType<typeof createUnpacker>,
  positions: readonly (Position | undefined)[],
): Bootstrap {
  const place = { run: "", startedAt: 0, scan: from.text(), starts: [], exactFrom: [] };
  if (isPending(place)) return place;
  const run = from.text();
  const startedAt = from.number();
  const exactFrom = positions.map(() => from.number());
  const starts = isScanned(place) ? [] : positions.map((position) => position?.next ?? 1);
  return { ...place, run, startedAt, starts, exactFrom };
}
