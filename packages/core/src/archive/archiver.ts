import type { Clock } from "../kernel/clock.ts";
import { streamNotFound } from "../kernel/error.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { DAY_MS, MINUTE_MS } from "../kernel/time.ts";
import { unpackBatch } from "../log/codec.ts";
import { assertNumbered } from "../log/guard.ts";
import type { ArchiveTally } from "../model/archive.ts";
import { objectsOf } from "../model/names.ts";
import type { CreateOptions, Objects } from "../objects/objects.ts";
import { isLast } from "../table/batch.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Segment } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import type { ObserveArchive } from "./observe.ts";
import {
  type Content,
  chainHash,
  createPacker,
  isArchiveDue,
  segmentName,
} from "./segment-plan.ts";
import { type ArchivedStream, settlePartition } from "./settle.ts";

export type ArchiveDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly objects: Objects;
  readonly observeArchive?: ObserveArchive | undefined;
};

/** The segments that a call has written, and what is left below the checkpoint. */
export type PartitionArchive = {
  readonly segments: number;
  readonly events: number;
  readonly bytes: number;
  readonly checkpoint: Checkpoint;
  readonly done: boolean;
};

const ROWS = 100;

/**
 * Archives a partition from its watermark up to its checkpoint, segment by segment, while `mayGoOn`
 * returns true. Without `tail`, a segment that is not full is written at most once an hour. Every
 * step can be repeated: the object is written first, under a name that contains its hash, then its
 * row together with the watermark. Calls may run concurrently. Throws `archive-unavailable` when
 * the bucket does not answer, `numbering-at-risk`, and an InvariantError when the chain has a gap.
 */
export async function archivePartition(
  deps: ArchiveDeps,
  stream: ArchivedStream,
  partition: number,
  { mayGoOn, tail }: { readonly mayGoOn: () => boolean; readonly tail: boolean },
): Promise<PartitionArchive> {
  const { table, clock } = deps;
  let total = { segments: 0, events: 0, bytes: 0 };
  let checkpoint = await settlePartition(deps, stream, partition);
  assertNumbered(checkpoint, clock.now());
  for (;;) {
    const { archivedTo = 0, next, archiving } = checkpoint;
    const isDue = tail ? archivedTo < next : isArchiveDue(checkpoint, clock.now());
    if (!isDue || archiving !== true) return { ...total, checkpoint, done: archivedTo >= next };
    if (!mayGoOn()) return { ...total, checkpoint, done: false };
    const segment = await archiveNext(deps, stream, partition, checkpoint);
    if (segment !== undefined) {
      deps.observeArchive?.segment(segment.storedBytes);
      const { segments, events, bytes } = total;
      total = {
        segments: segments + 1,
        events: events + segment.events,
        bytes: bytes + segment.storedBytes,
      };
    }
    const present = await table.checkpoints.load(stream.life, partition);
    if (present === undefined) throw streamNotFound();
    checkpoint = present;
  }
}

/**
 * Archives the next range of a partition. Returns its segment, or undefined if the range has no
 * events or another process has archived it.
 */
async function archiveNext(
  deps: ArchiveDeps,
  stream: ArchivedStream,
  partition: number,
  checkpoint: Checkpoint,
): Promise<Segment | undefined> {
  const { table, objects } = deps;
  const place = { life: stream.life, partition };
  const range = await readRange(deps, place, checkpoint);
  if (range === undefined) {
    await beginAfterGap(deps, place, checkpoint);
    return undefined;
  }
  const { content, next } = range;
  if (content === undefined) {
    await table.segments.move(place, checkpoint, { archivedTo: next });
    return undefined;
  }
  const segment = describe(stream, place, { content, next, checkpoint });
  // A lock takes effect when its change is answered, even for a run that began earlier.
  const present = await table.streams.load(stream.name);
  if (present?.uid !== stream.uid) throw streamNotFound();
  const lock = lockOf(present, segment, deps.clock.now());
  if (!(await store(objects, segment, content.body, lock))) {
    await assertOvertaken(deps, place, checkpoint);
    return undefined;
  }
  const archived = tallyAfter(checkpoint, segment, { ...range, nowMs: deps.clock.now() });
  if (await table.segments.add(place, segment, checkpoint, archived)) return segment;
  await dropUnlessNamed(deps, place, segment);
  return undefined;
}

type Place = { readonly life: ArchivedStream["life"]; readonly partition: number };

type Range = {
  readonly content: Content | undefined;
  readonly next: number;
  readonly batchBytes: number;
};

/**
 * Reads batches from the watermark on, until a segment is full or the checkpoint is reached. A
 * query is no snapshot, so a gap is real only when a second query finds it again. Undefined means
 * that the first batch is missing.
 */
async function readRange(
  { table }: ArchiveDeps,
  { life, partition }: Place,
  { archivedTo = 0, next: end }: Checkpoint,
): Promise<Range | undefined> {
  const packer = createPacker();
  let next = archivedTo;
  let batchBytes = 0;
  for (let misses = 0; misses < 2 && next < end && !packer.isFull(); ) {
    const before = next;
    const { batches } = await table.batches.loadFrom(life, partition, next, ROWS);
    for (const batch of batches) {
      if (batch.first !== next || isLast(batch) || next >= end || packer.isFull()) break;
      for (const event of unpackBatch(batch)) packer.add(event);
      next += batch.count;
      batchBytes += batch.rawBytes;
    }
    misses = next === before ? misses + 1 : 0;
  }
  return next === archivedTo ? undefined : { content: packer.finish(), next, batchBytes };
}

/**
 * Begins the archive again at the floor, when the floor has passed the watermark. Only a repair of
 * the numbering moves it that far. Otherwise the log is damaged, unless another process has moved
 * the watermark, and removed the batch, in the meantime.
 */
async function beginAfterGap(
  { table }: ArchiveDeps,
  place: Place,
  known: Checkpoint,
): Promise<void> {
  const checkpoint = await table.checkpoints.load(place.life, place.partition);
  const { archivedTo = 0, floor } = checkpoint ?? known;
  if (checkpoint === undefined || archivedTo !== known.archivedTo) return;
  assertInvariant(floor > archivedTo, `nothing is missing at ${archivedTo} of ${place.life}`);
  await table.segments.move(place, checkpoint, { archivedFrom: floor, archivedTo: floor });
}

function describe(
  { name, uid }: ArchivedStream,
  { partition }: Place,
  of: { readonly content: Content; readonly next: number; readonly checkpoint: Checkpoint },
): Segment {
  const { body: _, ...content } = of.content;
  const { archivedTo: first = 0, archived } = of.checkpoint;
  const range = { first, next: of.next, sha256: content.sha256 };
  const object = segmentName(objectsOf(name, uid), partition, range);
  const previous = archived?.chain ?? "";
  const segment = { ...content, first, next: of.next, object, previous };
  return { ...segment, chain: chainHash(segment) };
}

/** A bucket refuses a lock that ends before the object arrives. */
const LOCK_MS_MIN = MINUTE_MS;

/** An object is locked for as long as its last event is kept. */
export function lockOf(
  { archiveLock, archiveKeptDays = 0 }: Pick<ArchivedStream, "archiveLock" | "archiveKeptDays">,
  { lastAt }: Pick<Segment, "lastAt">,
  nowMs: number,
): Pick<CreateOptions, "lock" | "lockedUntil"> {
  const untilMs = lastAt + archiveKeptDays * DAY_MS;
  if (archiveLock === undefined || untilMs < nowMs + LOCK_MS_MIN) return {};
  return { lock: archiveLock, lockedUntil: new Date(untilMs) };
}

/**
 * Writes the object of a segment, and checks what the bucket has under its name. Returns false when
 * the object is gone again.
 */
export async function store(
  objects: Objects,
  segment: Pick<Segment, "first" | "object" | "storedBytes" | "sha256">,
  body: Uint8Array,
  lock: Pick<CreateOptions, "lock" | "lockedUntil">,
): Promise<boolean> {
  await objects.create(segment.object, body, { contentType: "application/gzip", ...lock });
  const head = await objects.head(segment.object);
  if (head === undefined) return false;
  const { storedBytes, sha256 } = segment;
  const isWhole = head.bytes === storedBytes && (head.sha256 ?? sha256) === sha256;
  assertInvariant(isWhole, `the object of segment ${segment.first} is as it was written`);
  return true;
}

/**
 * A process that wrote the same object and lost its race to a segment of another range removes the
 * object (`dropUnlessNamed`). Then the watermark has moved. Otherwise the bucket has lost the
 * object.
 */
async function assertOvertaken({ table }: ArchiveDeps, place: Place, known: Checkpoint) {
  const present = await table.checkpoints.load(place.life, place.partition);
  const moved = present === undefined || present.archivedTo !== known.archivedTo;
  assertInvariant(moved, `the bucket keeps the object of segment ${known.archivedTo ?? 0}`);
}

function tallyAfter(
  { next: end, bytes, archived }: Checkpoint,
  segment: Segment,
  { batchBytes, nowMs }: { readonly batchBytes: number; readonly nowMs: number },
): ArchiveTally {
  const { segments = 0, events = 0, storedBytes = 0, bytesBefore = 0 } = archived ?? {};
  return {
    at: nowMs,
    segments: segments + 1,
    events: events + segment.events,
    storedBytes: storedBytes + segment.storedBytes,
    bytesBefore: segment.next >= end ? bytes : Math.min(bytes, bytesBefore + batchBytes),
    chain: segment.chain,
  };
}

/**
 * Removes the object of a segment whose row could not be written, if the row there names another
 * one. No row will ever name it then, because a row is never replaced. An object that stays, for
 * example because the router may not remove any, is removed together with its stream.
 */
async function dropUnlessNamed(
  { table, objects }: ArchiveDeps,
  place: Place,
  { first, object }: Segment,
): Promise<void> {
  const present = await table.segments.loadAtOrBefore(place, first);
  if (present?.first !== first || present.object === object) return;
  await objects.remove([object]).catch(() => {});
}
