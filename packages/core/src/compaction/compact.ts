import { ageMs, type Stamp, takeStamp } from "../kernel/clock.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { loadEnd, type SeenEnd } from "../log/end.ts";
import { assertNumbered } from "../log/guard.ts";
import { endOfChain, epochAt, startOfChain } from "../model/epochs.ts";
import { isEntered, lostBetween } from "../model/restored.ts";
import type { Compactable, CompactDeps } from "./compact-deps.ts";
import { compactSection } from "./compact-section.ts";
import { believed } from "./compaction-plan.ts";
import { moveFloor } from "./floor.ts";
import { listOften } from "./list-often.ts";
import { stateSizeOf } from "./state-size.ts";
import { keepHours } from "./usage.ts";

/** The result of a call in one partition. */
export type PartitionCompaction = {
  readonly events: number;
  /** The number of compacted rows put, one per key and section. */
  readonly keys: number;
  /** Everything that was durable when the call began is compacted. */
  readonly done: boolean;
  /** Events after the checkpoint at the end of the call, of those that the call has seen. */
  readonly remaining: number;
  /** The publication time of the last compacted event. The remaining events are no older. */
  readonly compactedThrough: number;
  /** The size of the compacted state was unknown. */
  readonly isUnsized?: true;
};

/** The interval between checks of an idle partition. The guards allow days. */
const LOOK_AGE_MS = 6 * HOUR_MS;
/** Sweeps move the floor. If none has run for this long, compaction moves it. */
const FLOOR_AGE_MAX_MS = DAY_MS;

/**
 * Brings the compacted state of one partition up to its end, section by section, until `budgetMs`
 * is used up. The checkpoint moves only over events whose keys' rows are put, and only from where
 * this call found it or left it. So a crash leaves work to repeat and nothing to repair, and calls
 * may run concurrently. Throws `numbering-at-risk` when the partition was unchecked for so long
 * that events may have expired unseen, and an InvariantError when the chain has a gap.
 */
export async function compactPartition(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { began, budgetMs }: { began: Stamp; budgetMs: number },
): Promise<PartitionCompaction> {
  const { clock } = deps;
  let events = 0;
  let keys = 0;
  const mayGoOn = () => ageMs(clock, began) < budgetMs;
  let first: number | undefined;
  for (;;) {
    const end = await loadEnd(deps, stream.life, partition);
    assertNumbered(end.checkpoint, clock.now());
    const { compactedThrough, next, lost } = end.checkpoint;
    first ??= next;
    const remaining = end.next - next - lostBetween(lost, next, end.next);
    deps.observeCompaction?.lag({ life: stream.life, partition, events: remaining });
    const isUnsized = stateSizeOf(end.checkpoint) === undefined;
    const sized = isUnsized ? { isUnsized } : {};
    const soFar = { events, keys, remaining, compactedThrough, ...sized };
    if (next === end.next) {
      await listOften(deps, stream, { partition, from: first, to: next });
      await renewLook(deps, stream, partition, end);
      await moveOldFloor(deps, stream, partition, end);
      return { ...soFar, done: true };
    }
    if (!mayGoOn()) return { ...soFar, done: false };
    if (!isEntered(end.checkpoint, startOfChain(stream, partition))) {
      const left = Math.max(0, budgetMs - ageMs(clock, began));
      const isReached = await reachEpoch(deps, stream, partition, left);
      if (!isReached) return { ...soFar, done: false };
    }
    const worked = await compactSection(deps, stream, partition, { end, mayGoOn });
    if (worked === undefined) continue;
    events += worked.events;
    keys += worked.keys;
    if (worked.to >= end.next) {
      await listOften(deps, stream, { partition, from: first, to: worked.to });
      await moveOldFloor(deps, stream, partition, end);
      const { wallMs } = end.stamp;
      return { ...soFar, events, keys, done: true, remaining: 0, compactedThrough: wallMs };
    }
  }
}

/**
 * Compaction enters the partitions of an epoch once all those of the earlier epochs are compacted
 * to their ends. Otherwise a snapshot could hold an event that is newer than one after it. This
 * compacts the rest of the earlier epochs. Returns false when that takes too long.
 */
async function reachEpoch(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  budgetMs: number,
): Promise<boolean> {
  const { first } = epochAt(stream, partition);
  const began = takeStamp(deps.clock);
  for (let before = 0; before < first; before++) {
    const checkpoint = await deps.table.checkpoints.load(stream.life, before);
    const end = endOfChain(stream, before) ?? 0;
    if (checkpoint !== undefined && checkpoint.next >= end) continue;
    const { done } = await compactPartition(deps, stream, before, { began, budgetMs });
    if (!done) return false;
  }
  return true;
}

/**
 * Records the time of this check of the end, because compaction has reached the end and no event
 * has expired unseen. The hours of usage of an idle partition become rows then.
 */
async function renewLook(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { checkpoint: stored, stamp }: SeenEnd,
): Promise<void> {
  const { table, clock } = deps;
  const checkpoint = { ...stored, ...believed(stored, clock.now()) };
  const failed = (checkpoint.failures ?? 0) > 0;
  const young = clock.now() - checkpoint.checkedAt < LOOK_AGE_MS;
  const through = clock.now() - checkpoint.compactedThrough < LOOK_AGE_MS;
  if (young && through && !failed) return;
  const of = { ...stream, partition, checkpoint, total: checkpoint.events };
  const usage = await keepHours(deps, of, stored.usage ?? [], { nowMs: clock.now(), all: true });
  const { recount } = stored;
  const to = {
    ...(usage.length === 0 ? {} : { usage }),
    checkedAt: Math.max(checkpoint.checkedAt, stamp.wallMs),
    compactedThrough: Math.max(checkpoint.compactedThrough, stamp.wallMs),
    failures: 0,
  };
  const { checkedAt, next } = stored;
  await table.checkpoints.move(stream.life, partition, next, to, checkedAt, { recount });
}

/**
 * Without sweeps, rows expire while the log start offset stays below them. A reader that begins at
 * the earliest event would meet that gap repeatedly, so compaction moves the floor
 * too.
 */
async function moveOldFloor(
  deps: CompactDeps,
  stream: Compactable,
  partition: number,
  { checkpoint }: SeenEnd,
): Promise<void> {
  if (deps.clock.now() - checkpoint.floorAt <= FLOOR_AGE_MAX_MS) return;
  await moveFloor(deps, stream, partition);
}
