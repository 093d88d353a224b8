import { LIMITS } from "@eventledger/protocol";
import { archivePartition } from "../archive/archiver.ts";
import type { ObserveArchive } from "../archive/observe.ts";
import { compactPartition } from "../compaction/compact.ts";
import type { CompactDeps } from "../compaction/compact-deps.ts";
import { ageMs, takeStamp } from "../kernel/clock.ts";
import { streamNotFound } from "../kernel/error.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Log } from "../log/log.ts";
import { chainIn, epochsOf, epochWith } from "../model/epochs.ts";
import type { RawJson } from "../model/event.ts";
import { bareName, ownerOf } from "../model/names.ts";
import { bucketOf } from "../model/partition.ts";
import type { Objects } from "../objects/objects.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { createStreams } from "../stream/streams.ts";
import type { ErasureChange, ErasureRow } from "../table/erasure.entity.ts";
import { endExports, eraseNotes, removeUnnamed } from "./erase-copies.ts";
import { eraseRows } from "./erase-rows.ts";
import { eraseSegment } from "./erase-segments.ts";
import { keepRecord } from "./erasure-records.ts";

export type ErasureDeps = CompactDeps & {
  readonly log: Pick<Log, "publish">;
  readonly streams: Pick<ReturnType<typeof createStreams>, "use">;
  readonly objects: Objects;
  readonly observeArchive?: ObserveArchive | undefined;
};

type Limits = {
  /** The time for the work of this call. */
  readonly budgetMs: number;
  /** Whether objects may be removed. The function that serves requests has no right to. */
  readonly isSweep: boolean;
};

/**
 * How long a process may keep a batch that it has read before the batch was rewritten. It exceeds
 * the age of any request, compaction, export or archiver.
 */
const REST_MS = 30 * MINUTE_MS;

/**
 * Carries an erasure on, phase by phase, until it is done, has to wait, or the time is over. Each
 * step is idempotent and followed by a conditional update of the erasure's row, so calls may crash
 * anywhere and run concurrently. Without `isSweep` it stops before the phases that change the
 * bucket. Returns the erasure as it is now. Throws the errors of an append and of compaction.
 */
export async function runErasure(
  deps: ErasureDeps,
  stream: LiveStream,
  row: ErasureRow,
  { budgetMs, isSweep }: Limits,
): Promise<ErasureRow> {
  const { table, clock } = deps;
  const began = takeStamp(clock);
  const leftMs = () => Math.max(0, budgetMs - ageMs(clock, began));
  let current = row;
  for (;;) {
    if (current.phase === "done") {
      await table.erasures.close(current);
      return current;
    }
    const change = await nextStep(deps, stream, current, { budgetMs: leftMs(), isSweep });
    if (change === "wait") return current;
    await table.erasures.change(current, change);
    // Another process may have been faster.
    const present = await table.erasures.load(current.life, current.id);
    if (present === undefined) throw streamNotFound();
    current = present;
    if (leftMs() === 0 && current.phase !== "done") return current;
  }
}

async function nextStep(
  deps: ErasureDeps,
  stream: LiveStream,
  row: ErasureRow,
  limits: Limits,
): Promise<ErasureChange | "wait"> {
  switch (row.phase) {
    case "announce":
      return announce(deps, row);
    case "state":
      return compactState(deps, row, limits);
    case "rows":
      return eraseNextRows(deps, row);
    case "notes": {
      const { isPushed } = await eraseNotes(deps, row);
      return { phase: "segments", chain: 0, at: 0, ...(isPushed ? { copied: true } : {}) };
    }
    case "segments":
      return eraseNextSegment(deps, stream, row, limits);
    case "exports": {
      const { ended } = await endExports(deps, row.life, deps.clock.now());
      return { phase: "rest", ...(ended > 0 ? { copied: true } : {}) };
    }
    case "rest":
      return rest(deps, stream, row, limits);
    case "done":
      return "wait";
  }
}

/**
 * Appends the tombstone. The erasure's id is its Idempotency-Key, so that a second attempt appends
 * no second one. Events that are published later are not part of the erasure.
 */
async function announce(
  { log, streams, objects }: ErasureDeps,
  row: ErasureRow,
): Promise<ErasureChange> {
  const { name, uid, key, id } = row;
  await keepRecord(objects, row);
  const idempotencyKey = `erasure ${id}`;
  const event = { attributes: { key }, data: "null" as RawJson, erasure: id };
  return streams.use(ownerOf(name), bareName(name), async (stream) => {
    if (stream.uid !== uid) throw streamNotFound();
    const { events } = await log.publish(stream, [event], idempotencyKey);
    const [first] = events;
    assertInvariant(first !== undefined, "a receipt has its event");
    const { sequence } = first;
    const of = epochWith(stream, sequence);
    const chains = epochsOf(stream)
      .filter((epoch) => epoch.first <= of.first)
      .map((epoch) => ({ partition: chainIn(key, epoch), until: sequence }));
    return { phase: "state", tombstone: sequence, chains };
  });
}

/**
 * Compacts up to the tombstone. The row of the key then has it or something newer, and a slower
 * compactor cannot put an older one.
 */
async function compactState(
  deps: ErasureDeps,
  { name, life, key, tombstone = 0, chains = [] }: ErasureRow,
  { budgetMs }: Limits,
): Promise<ErasureChange | "wait"> {
  const partition = chains.at(-1)?.partition ?? 0;
  const began = takeStamp(deps.clock);
  await deps.streams.use(ownerOf(name), bareName(name), (stream) =>
    compactPartition(deps, { ...stream, life }, partition, { began, budgetMs }),
  );
  const checkpoint = await deps.table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  if (checkpoint.next <= tombstone) return "wait";
  const state = await deps.table.compacted.loadLast(life, bucketOf(key), key);
  const isOver = state === undefined || state.sequence >= tombstone;
  assertInvariant(isOver, `the state of ${life} is not older than its tombstone`);
  return { phase: "rows", chain: 0, at: 0 };
}

/** Rewrites a page of batches. */
async function eraseNextRows(
  { table, clock }: ErasureDeps,
  { life, key, chains = [], chain, at }: ErasureRow,
): Promise<ErasureChange> {
  const current = chains[chain];
  if (current === undefined) return { phase: "notes", rowsAt: clock.now() };
  const next = await eraseRows({ table }, life, current, at, key);
  return next === undefined ? { chain: chain + 1, at: 0 } : { at: next };
}

/**
 * Rewrites the next segment. Before that, what is not archived is archived. The watermark is then
 * past the range, so an archiver that has read earlier batches cannot record its object.
 */
async function eraseNextSegment(
  deps: ErasureDeps,
  stream: LiveStream,
  row: ErasureRow,
  { budgetMs, isSweep }: Limits,
): Promise<ErasureChange | "wait"> {
  const { key, id, chains = [], chain, at } = row;
  const current = chains[chain];
  if (stream.archiveKeptDays === undefined || current === undefined) return { phase: "exports" };
  if (!isSweep) return "wait";
  if (at === 0) {
    const began = takeStamp(deps.clock);
    const mayGoOn = () => ageMs(deps.clock, began) < budgetMs;
    const work = { mayGoOn, tail: true };
    const { checkpoint } = await archivePartition(deps, stream, current.partition, work);
    const { archiving, archivedTo = 0, next } = checkpoint;
    if (archiving === true && archivedTo < Math.min(current.until, next)) return "wait";
  }
  const { next, lockedUntil } = await eraseSegment(deps, stream, current, at, { key, id });
  const place = next === undefined ? { chain: chain + 1, at: 0 } : { at: next };
  if (lockedUntil === undefined) return place;
  return { ...place, lockedUntil: Math.max(lockedUntil, row.lockedUntil ?? 0) };
}

/**
 * Waits until no process can have what it has read before, and then removes what such a process may
 * have left. While a lock keeps an object, it waits for the end of the lock.
 */
async function rest(
  deps: ErasureDeps,
  stream: LiveStream,
  row: ErasureRow,
  { isSweep }: Limits,
): Promise<ErasureChange | "wait"> {
  const nowMs = deps.clock.now();
  const done = { phase: "done", doneAt: nowMs } as const;
  if (stream.archiveKeptDays === undefined && row.copied !== true) return done;
  const { chains = [] } = row;
  if (!isSweep || nowMs < (earliestEnd(stream, row) ?? nowMs)) return "wait";
  if (await isRewriting(deps.table, row)) return "wait";
  await eraseNotes(deps, row);
  const partitions = chains.map(({ partition }) => partition);
  const isClear = await removeUnnamed(deps, row, partitions, nowMs);
  return isClear ? done : "wait";
}

/**
 * Returns when an erasure that has nothing left to rewrite can be done, in milliseconds since 1970.
 * Undefined before that, and when it is done. Pure.
 */
export function earliestEnd(
  { archiveKeptDays }: Pick<LiveStream, "archiveKeptDays">,
  { phase, rowsAt, copied, lockedUntil = 0 }: ErasureRow,
): number | undefined {
  if (phase !== "rest" || rowsAt === undefined) return undefined;
  return archiveKeptDays === undefined && copied !== true
    ? rowsAt
    : Math.max(rowsAt + REST_MS, lockedUntil);
}

const BEFORE_SEGMENTS: ReadonlySet<string> = new Set(["announce", "state", "rows", "notes"]);

/** Returns whether another erasure of the stream may be about to name an object. */
async function isRewriting(table: ErasureDeps["table"], { life, id }: ErasureRow) {
  for (const other of await table.erasures.listOpenOf(life, LIMITS.listMax)) {
    if (other.id === id) continue;
    const row = await table.erasures.load(life, other.id);
    if (row?.phase === "segments") return true;
    // After a restore, rows do not name the objects that the erasure has written before.
    if (row?.isRepeated === true && BEFORE_SEGMENTS.has(row.phase)) return true;
  }
  return false;
}
