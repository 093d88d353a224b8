import { ageMs, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import type { Random } from "../kernel/random.ts";
import { loadEnd, type SeenEnd } from "../log/end.ts";
import { bringOn } from "../log/growth.ts";
import { PHYSICAL_SLACK_MS } from "../log/guard.ts";
import { seekKeptTime } from "../log/read/seek.ts";
import { endPartition } from "../log/seal.ts";
import { chainCount, chainsOf, endOfChain, startOfChain } from "../model/epochs.ts";
import { type Life, lifeOf } from "../model/names.ts";
import type { LostRange, Restored } from "../model/restored.ts";
import { allStreams } from "../stream/all-streams.ts";
import { firstCheckpoint } from "../table/checkpoint.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { CompactDeps } from "./compact-deps.ts";
import { repairNumbering } from "./repair.ts";
import {
  findHole,
  planJump,
  planJumpRow,
  planLost,
  planRange,
  SKEW_MS,
  speaksOfLost,
} from "./restore-plan.ts";
import { tryCompact } from "./try-compact.ts";

type Deps = CompactDeps & {
  readonly random: Random;
  readonly tableName: string;
  /** Begins the erasures again that the restore has undone. See `repeatErasures`. */
  readonly repeatErasures: (
    stream: Pick<StreamRow, "name" | "uid">,
    lost: ReadonlyMap<number, readonly LostRange[]>,
  ) => Promise<void>;
  /** Discards everything that this process remembers of a stream. */
  readonly forget: (stream: StreamRow & { readonly life: Life }) => void;
};

/** The result of a call. `done` is false when its time ran out first. Call again in that case. */
export type Restoration = { readonly streams: number; readonly done: boolean };

const STREAMS_AT_ONCE = 4;
const PARTITIONS_AT_ONCE = 8;
const TRIES = 20;
const ROWS = 100;

/**
 * Completes a restore of the table for every stream of every tenant that has not completed it.
 * These are the streams made in a different table. If the operator gives this restore a `name`,
 * they are also the streams without a record of that name. Numbers continue above any number of a
 * lost event, so none is assigned twice. Cursors and positions that cover lost events are refused.
 * Receipts of lost events are deleted. The kept events stay readable, and positions in them stay
 * valid. A stream refuses all requests until it is done. May be repeated after a crash, and
 * continued after its time ran out.
 */
export async function completeRestore(
  deps: Deps,
  { name, budgetMs }: { name?: string | undefined; budgetMs: number },
): Promise<Restoration> {
  const open: StreamRow[] = [];
  for await (const row of allStreams(deps.table)) {
    const known = name === undefined || row.restored?.name === name;
    if (row.copied || !known) open.push(row);
  }
  // Each call advances the first stream, even if its time is very short.
  const began = takeStamp(deps.clock);
  const mayGoOn = () => ageMs(deps.clock, began) < budgetMs;
  let streams = 0;
  await inParallel(open, STREAMS_AT_ONCE, async (row) => {
    if (row !== open[0] && !mayGoOn()) return;
    const restored = restoreStream(deps, row, name ?? deps.tableName, mayGoOn).catch(unlessEnded);
    if (await restored) streams++;
  });
  return { streams, done: streams === open.length };
}

/** A stream that was deleted in the meantime needs no restore. Throws every other error. */
function unlessEnded(error: unknown): true {
  if (error instanceof LedgerError && error.code === "stream-not-found") return true;
  throw error;
}

/** Returns false when the time ran out. */
async function restoreStream(
  deps: Deps,
  row: StreamRow,
  name: string,
  mayGoOn: () => boolean,
): Promise<boolean> {
  const { table, clock } = deps;
  const stream = { ...row, life: lifeOf(row.name, row.uid) };
  // This id is the same for every call until the stream is done, and never used again afterwards.
  const id = `${row.restored?.at ?? 0}:${name}`;
  const lost = new Map<number, readonly LostRange[]>();
  const chains = chainsOf(row);
  let isTurned = row.growing !== undefined;
  await inParallel(chains, PARTITIONS_AT_ONCE, async (partition) => {
    const until = endOfChain(row, partition);
    if (row.epochs !== undefined) await keepCheckpoint(deps, stream, partition);
    // The copy may have a list without some of its parts. Another one begins at the floor.
    await deps.table.changes.forget(stream.life, partition);
    const jumped = await jumpPartition(deps, stream, partition, { id, until, mayGoOn });
    if (jumped === undefined) return;
    lost.set(partition, jumped.lost);
    isTurned ||= jumped.turned && until === undefined;
  });
  if (lost.size < chains.length) return false;
  if (isTurned) await turnAfterRestore(deps, stream, id);
  if (!(await removeReceipts(deps, stream, { id, lost, mayGoOn }))) return false;
  await deps.repeatErasures(row, lost);
  const { id: lastId, at: lastAt, before = [] } = row.restored ?? {};
  const marks = lastId === undefined ? [] : [...before, { id: lastId, at: lastAt ?? 0 }];
  const at = Math.max(clock.now(), (lastAt ?? 0) + 1);
  const restored: Restored = { id, at, name, before: marks };
  await table.restores.complete(row, restored);
  deps.forget(stream);
  return true;
}

type Restorable = StreamRow & { readonly life: Life };

/** A copy may have an epoch of a stream, and not the checkpoints of its partitions. */
async function keepCheckpoint(
  { table, clock }: Deps,
  stream: Restorable,
  partition: number,
): Promise<void> {
  if ((await table.checkpoints.load(stream.life, partition)) !== undefined) return;
  const from = startOfChain(stream, partition);
  const isArchived = stream.archiveDays !== null;
  const checkpoint = firstCheckpoint(from, { nowMs: clock.now(), isArchived });
  await table.restores.addCheckpoint(stream.life, partition, checkpoint);
}

/**
 * Leads a stream into its next epoch that turned to it in the copy. The copy may lack the end of
 * that change and events after it, so the epoch starts above any number of them.
 */
async function turnAfterRestore(
  { table, clock, random }: Deps,
  stream: Restorable,
  id: string,
): Promise<void> {
  const nowMs = clock.now();
  const turning =
    stream.growing === undefined ? await table.streams.turnTo(stream, stream.partitions) : stream;
  if (turning === undefined) return;
  const jump = (from: number, seenMs: number) => planJump(from, { seenMs, nowMs });
  await bringOn({ table, clock, random }, stream.life, turning, { id, jump });
}

type Jumped = { readonly lost: readonly LostRange[]; readonly turned: boolean };

type JumpRequest = {
  readonly id: string;
  /** The end of a chain of an earlier epoch. It gets its turn there if the copy lacks it. */
  readonly until: number | undefined;
  readonly mayGoOn: () => boolean;
};

/**
 * Closes the holes of a chain, and advances its numbers. Returns the numbers that this restore has
 * lost, or undefined when the time ran out.
 */
async function jumpPartition(
  deps: Deps,
  stream: Restorable,
  partition: number,
  { id, until, mayGoOn }: JumpRequest,
): Promise<Jumped | undefined> {
  let seenMs: number | undefined;
  for (let attempt = 0; attempt < TRIES; ) {
    const end = await loadEnd(deps, stream.life, partition);
    const { checkpoint } = end;
    const own = (checkpoint.lost ?? []).filter((range) => range.id === id);
    const isDone = own.some(({ hole }) => hole === undefined);
    if (until !== undefined && isDone && !end.turned) {
      await endPartition(deps, stream.life, partition, "turn", { isChecked: true });
    }
    if (end.sealed || isDone) return { lost: own, turned: end.turned };
    seenMs ??= Math.max(checkpoint.checkedAt, end.publishedAt);
    const nowMs = deps.clock.now();
    if (nowMs - checkpoint.checkedAt > PHYSICAL_SLACK_MS) {
      const { kind } = await repairNumbering(deps, stream, partition, mayGoOn);
      if (kind === "cut") return undefined;
      attempt++;
      continue;
    }
    const isPut = await putJump(deps, stream, partition, { id, until, end, seenMs, nowMs });
    // A chain may have any number of holes, so a jump that is put does not count as an attempt.
    if (!isPut) attempt++;
  }
  throw new LedgerError("outcome-unknown", {
    detail: "Other processes keep writing to the table. Stop them, and send the request again.",
    retryAfterSeconds: 1,
  });
}

/**
 * Puts a jump into the first hole of a chain, or at its end. Returns false if it puts none: nothing
 * is lost, or another process has extended the chain.
 */
async function putJump(
  deps: Deps,
  stream: Restorable,
  partition: number,
  { end, seenMs, nowMs, ...of }: Omit<JumpRequest, "mayGoOn"> & JumpMoment,
): Promise<boolean> {
  const { table, random } = deps;
  const { life } = stream;
  const { checkpoint } = end;
  const found = await walk(deps, stream, partition, end);
  const { expected: from, before } = found;
  // Another process, perhaps one that makes the same jump, has extended the chain since its end
  // was read.
  if (before === undefined && from > end.next) return false;
  const range = planRange(end, found, { ...of, seenMs, nowMs });
  if (range.from >= range.to) {
    // Nothing of this chain is lost, and nothing can be written after its turn.
    const nothing = planLost(checkpoint, { id: of.id, from: range.to, to: range.to }, nowMs);
    await table.checkpoints.move(life, partition, checkpoint.next, {
      ...nothing,
      checkedAt: nothing.checkedAt ?? nowMs,
    });
    return false;
  }
  const jump = { ...planJumpRow(stream, end, { range, before, nowMs }), batchId: random.bytes(16) };
  const moved = planLost(checkpoint, range, nowMs);
  const isPut = await table.restores.jump({ life, partition }, jump, checkpoint.next, moved);
  if (isPut && before === undefined) await tryCompact(deps, stream, partition, COMPACT_BUDGET_MS);
  return isPut;
}

/** The end of a chain, the latest time recorded there when the call began, and the time now. */
type JumpMoment = { readonly end: SeenEnd; readonly seenMs: number; readonly nowMs: number };

/**
 * Publishing refuses a stream whose compaction is a day late, so the restore compacts for this
 * long. The sweeper compacts the remaining events.
 */
const COMPACT_BUDGET_MS = 2_000;

/** Finds the first hole among the last rows of a chain, or the end of the chain. */
async function walk(deps: Deps, { life }: Restorable, partition: number, end: SeenEnd) {
  const since = end.publishedAt - SKEW_MS;
  const edge = await seekKeptTime(deps, life, partition, since);
  for (let at = Math.max(end.checkpoint.floor, edge.next); ; ) {
    const { batches, more } = await deps.table.batches.loadFrom(life, partition, at, ROWS);
    const found = findHole(batches, at);
    if (found.before !== undefined || !more) return found;
    at = found.expected;
  }
}

/**
 * Deletes receipts of lost events. Such a receipt would settle the retry that must write the events
 * again.
 */
async function removeReceipts(
  { table }: Deps,
  { life, ...row }: Restorable,
  of: {
    readonly id: string;
    readonly lost: ReadonlyMap<number, readonly LostRange[]>;
    readonly mayGoOn: () => boolean;
  },
): Promise<boolean> {
  let after = row.restoring?.id === of.id ? row.restoring.receiptsAfter : undefined;
  for (;;) {
    const { rows, next } = await table.receipts.loadPage(life, after);
    for (const receipt of rows) {
      if (speaksOfLost(receipt, of.lost, chainCount(row)))
        await table.receipts.remove(life, receipt);
    }
    if (next === null) return true;
    after = next;
    if (!of.mayGoOn()) {
      await table.restores.note(row, { id: of.id, receiptsAfter: after });
      return false;
    }
  }
}
