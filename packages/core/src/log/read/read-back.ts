import { LIMITS, type Tier } from "@eventledger/protocol";
import { invalidCursor } from "../../cursor/cursor.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { earliestBefore, earliestOf } from "../../model/archive.ts";
import { chainsIn, type Epoch, epochsOf } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { isLost } from "../../model/restored.ts";
import type { Batch } from "../../table/batch.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import { unpackBatch } from "../codec.ts";
import { type ColdChain, readColdBefore } from "../cold/cold-read.ts";
import { printedBytes } from "./page-cut.ts";
import { FLOOR_STALE_MS } from "./reach.ts";
import { type Bound, boundOf, isPast } from "./read-plan.ts";
import type { ReadDeps } from "./read-run.ts";

/** The number of rows in the first query of a partition. Later queries ask for more. */
const ROWS_FIRST = 2;
const ROWS_MAX = 32;
const PARTITIONS_AT_ONCE = 8;

export type BackRequest = {
  readonly limit: number;
  readonly matches: ((event: StoredEvent) => boolean) | undefined;
  readonly among: ReadonlySet<number> | undefined;
  /**
   * A backward read returns the events at or after this bound. It stops at the first older event.
   */
  readonly bound: Bound | undefined;
  /** The epochs of the stream, if it has several. */
  readonly epochs?: readonly Epoch[] | undefined;
  /** The maximum number of events to examine. */
  readonly lookedMax: number;
};

export type BackPage = {
  /** The newest event comes first. */
  readonly events: readonly StoredEvent[];
  /** The position before the oldest examined event, by partition. Unchanged if none was read. */
  readonly positions: readonly (Position | undefined)[];
  /** True when no older event is kept, or none is within the bound. */
  readonly caughtUp: boolean;
  readonly looked: number;
  /** `cold` when one of the examined events comes from the archive. */
  readonly tier: Tier;
};

type Ready = { readonly event: StoredEvent; readonly batch: number; readonly cold?: true };

/**
 * The state of one partition during a backward read: the events at hand, newest first, and the
 * position before them.
 */
type Back = {
  readonly partition: number;
  /** The partition as its checkpoint describes it. */
  chain: ColdChain & Checkpoint;
  position: Position;
  readonly ready: Ready[];
  /**
   * How far back this partition has been read: all of its events from here to the start are taken.
   */
  next: number;
  rows: number;
  ended: boolean;
};

/**
 * Reads backward from `positions`: the events before them, newest first, over all partitions by
 * publication time. Throws `stream-not-found`, and an InvariantError when a chain has a gap.
 */
export async function readBack(
  deps: ReadDeps,
  life: Life,
  positions: readonly (Position | undefined)[],
  request: BackRequest,
): Promise<BackPage> {
  const stream = { partitions: positions.length, epochs: request.epochs };
  const page: Growing = { events: [], looked: 0, lookedBytes: 0, pageBytes: 0, tier: "hot" };
  const reached = new Map<number, Position>();
  let caughtUp = true;
  // All events of an epoch are older than those of the next one.
  for (const epoch of epochsOf(stream).toReversed()) {
    const asked = chainsIn(epoch).filter((at) => request.among?.has(at) ?? true);
    const backs = await beginAll(deps, life, asked, { positions, request });
    await takeBack(deps, life, backs, { page, request });
    for (const { partition, position } of backs) reached.set(partition, position);
    caughtUp = backs.every(({ ready, ended }) => ended && ready.length === 0);
    if (!caughtUp) break;
  }
  const { events, looked, tier } = page;
  return {
    events,
    positions: positions.map((position, partition) => reached.get(partition) ?? position),
    caughtUp,
    looked,
    tier,
  };
}

/** A page during a backward read. */
type Growing = {
  readonly events: StoredEvent[];
  looked: number;
  lookedBytes: number;
  pageBytes: number;
  tier: Tier;
};

async function beginAll(
  deps: ReadDeps,
  life: Life,
  asked: readonly number[],
  {
    positions,
    request: { bound },
  }: {
    readonly positions: readonly (Position | undefined)[];
    readonly request: Pick<BackRequest, "bound">;
  },
): Promise<Back[]> {
  const backs: Back[] = [];
  for (let at = 0; at < asked.length; at += PARTITIONS_AT_ONCE) {
    const wave = asked.slice(at, at + PARTITIONS_AT_ONCE);
    backs.push(
      ...(await Promise.all(
        wave.map((partition) => begin(deps, life, partition, positions[partition], bound)),
      )),
    );
  }
  return backs;
}

/** Takes events of some partitions, the newest first, until the page is full or none is left. */
async function takeBack(
  deps: ReadDeps,
  life: Life,
  backs: readonly Back[],
  {
    page,
    request: { limit, matches, lookedMax, bound },
  }: { readonly page: Growing; readonly request: BackRequest },
): Promise<void> {
  while (page.events.length < limit && page.looked < lookedMax) {
    await fillAll(deps, life, backs, bound);
    const newest = backs.reduce<Back | undefined>(newerOf, undefined);
    const entry = newest?.ready[0];
    if (newest === undefined || entry === undefined) break;
    const bytes = printedBytes(entry.event);
    const wanted = matches === undefined || matches(entry.event);
    const isFull = wanted && page.events.length > 0 && page.pageBytes + bytes > LIMITS.pageBytesMax;
    const isLooked = page.looked > 0 && page.lookedBytes + bytes > LIMITS.scannedBytesMax;
    if (isFull || isLooked) break;
    newest.ready.shift();
    newest.position = { batch: entry.batch, next: entry.event.sequence };
    if (entry.cold) page.tier = "cold";
    page.looked++;
    page.lookedBytes += bytes;
    if (!wanted) continue;
    page.pageBytes += bytes;
    page.events.push(entry.event);
  }
}

/** Returns the partition whose next event was published later. */
function newerOf(newest: Back | undefined, back: Back): Back | undefined {
  const [entry] = back.ready;
  const [best] = newest?.ready ?? [];
  if (entry === undefined) return newest;
  return best === undefined || entry.event.publishedAt > best.event.publishedAt ? back : newest;
}

async function begin(
  { checkpoints }: ReadDeps,
  life: Life,
  partition: number,
  position: Position | undefined,
  bound: Bound | undefined,
): Promise<Back> {
  const chain = { ...(await checkpoints.recall(life, partition)), life, partition };
  if (isLost(chain.lost, position?.next ?? 0)) throw invalidCursor("restored");
  const at = position ?? edgeAt(earliestOf(chain));
  const { next: low } = boundOf(bound, partition);
  const ended = at.next <= earliestBefore(chain, at.next) || (low !== Infinity && at.next <= low);
  return { partition, chain, position: at, ready: [], next: at.next, rows: ROWS_FIRST, ended };
}

/** Reads more of those partitions that have no event at hand. */
async function fillAll(
  deps: ReadDeps,
  life: Life,
  backs: readonly Back[],
  bound: Bound | undefined,
): Promise<void> {
  const empty = backs.filter(({ ready, ended }) => ready.length === 0 && !ended);
  for (let at = 0; at < empty.length; at += PARTITIONS_AT_ONCE) {
    const wave = empty.slice(at, at + PARTITIONS_AT_ONCE);
    await Promise.all(wave.map((back) => fill(deps, life, back, bound)));
  }
}

/**
 * Reads more of one partition. A batch that does not continue the chain was written into the past
 * and is ignored.
 */
async function fill(
  deps: ReadDeps,
  life: Life,
  back: Back,
  bound: Bound | undefined,
): Promise<void> {
  let below = back.next;
  while (back.ready.length === 0 && !back.ended) {
    if (back.next <= back.chain.floor) {
      await fillCold(deps, back, bound);
      continue;
    }
    const { batches } = await deps.table.batches.loadBefore(life, back.partition, below, back.rows);
    back.rows = Math.min(ROWS_MAX, back.rows * 4);
    for (const batch of batches) take(back, batch, bound);
    below = batches.at(-1)?.first ?? 0;
    if (back.ready.length === 0 && !back.ended && below <= back.chain.floor) {
      await explainGap(deps, life, back);
    }
  }
}

/** Reads the block of the archive before `back.next`. */
async function fillCold(
  { segments, checkpoints }: ReadDeps,
  back: Back,
  bound: Bound | undefined,
): Promise<void> {
  const { life, partition } = back.chain;
  const read = await readColdBefore(segments, back.chain, back.next);
  if (read === undefined) {
    const present = await checkpoints.reload(life, partition);
    // The days of these events may have ended in the meantime. Otherwise the archive is damaged.
    const isGone = back.next <= earliestOf(present);
    assertInvariant(isGone, `the archive of ${life} has ${back.next - 1}`);
    back.ended = true;
    return;
  }
  const events = read.events.map((event): Ready => ({ event, batch: event.sequence, cold: true }));
  if (!offer(back, events, bound)) return;
  back.next = read.next;
  back.ended = back.next <= earliestBefore(back.chain, back.next);
}

/** Adds events, newest first, up to the bound. Returns false when the bound is reached. */
function offer(
  back: Back,
  entries: readonly { readonly event: StoredEvent; readonly batch: number }[],
  bound: Bound | undefined,
): boolean {
  for (const entry of entries) {
    if (bound !== undefined && !isPast(boundOf(bound, back.partition), entry.event)) {
      back.ended = true;
      return false;
    }
    back.ready.push(entry);
    back.next = entry.event.sequence;
  }
  return true;
}

/**
 * Takes the events of a batch below `back.next`. Ignores a batch that neither ends there nor holds
 * the starting position.
 */
function take(back: Back, batch: Batch, bound: Bound | undefined): void {
  if (batch.kind === "seal") throw streamNotFound();
  if (batch.kind === "turn") return;
  const { first, count } = batch;
  if (back.ended || first >= back.next) return;
  // The first batch may contain the position. Each later one must end where its successor begins.
  const { position } = back;
  const isInside = back.next === position.next && position.batch < position.next;
  if (isInside ? first !== position.batch : first + count !== back.next) return;
  if (batch.kind === "jump") {
    if (isInside) throw invalidCursor("restored");
    back.next = first;
  }
  const events = unpackBatch(batch).slice(0, back.next - first);
  const entries = events.reverse().map((event) => ({ event, batch: first }));
  if (offer(back, entries, bound)) back.ended = back.next <= earliestBefore(back.chain, back.next);
}

/**
 * Called when no batch is stored before a position. Ends the run, or lets it go on in the archive.
 * A position from the archive does not name its batch, so the batch is looked up once. Throws an
 * InvariantError if neither the floor nor a stale floor explains the gap.
 */
async function explainGap(
  { table, checkpoints, clock }: ReadDeps,
  life: Life,
  back: Back,
): Promise<void> {
  const { partition, position, next } = back;
  back.chain = { ...(await checkpoints.reload(life, partition)), life, partition };
  const { floor, floorAt } = back.chain;
  if (next > floor && next === position.next && position.batch === next) {
    const batch = await table.batches.loadAtOrBefore(life, partition, next - 1);
    if (batch !== undefined && next < batch.first + batch.count) {
      back.position = { batch: batch.first, next };
      return;
    }
  }
  const isFloorStale = clock.now() - floorAt > FLOOR_STALE_MS;
  assertInvariant(next <= floor || isFloorStale, `nothing is missing before ${next} of ${life}`);
  back.ended = next > floor || next <= earliestBefore(back.chain, next);
}
