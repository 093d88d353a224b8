import { invalidCursor } from "../../cursor/cursor.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { earliestBefore, earliestOf } from "../../model/archive.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { isLost } from "../../model/restored.ts";
import type { Batch } from "../../table/batch.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import { unpackBatch } from "../codec.ts";
import { type ColdChain, readColdBefore } from "../cold/cold-read.ts";
import { FLOOR_STALE_MS } from "./reach.ts";
import { type Bound, boundOf, isPast } from "./read-plan.ts";
import type { ReadDeps } from "./read-run.ts";

/** The number of rows in the first query of a partition. Later queries ask for more. */
const ROWS_FIRST = 2;
const ROWS_MAX = 32;

type Ready = { readonly event: StoredEvent; readonly batch: number; readonly cold?: true };

/**
 * The state of one partition during a backward read: the events at hand, newest first, and the
 * position before them.
 */
export type Back = {
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

/** Begins the backward read of a partition from a position, or from its start without one. */
export async function beginBack(
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

/**
 * Reads more of one partition. A batch that does not continue the chain was written into the past
 * and is ignored.
 */
export async function fillBack(
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
