import { createHash } from "node:crypto";
import { lockOf, store } from "../archive/archiver.ts";
import { type Content, createPacker, proofOf, segmentName } from "../archive/segment-plan.ts";
import type { ArchivedStream } from "../archive/settle.ts";
import type { Clock } from "../kernel/clock.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { DAY_MS } from "../kernel/time.ts";
import { parseBlocks, unpackBlocks } from "../log/cold/blocks.ts";
import { eraseEvent, hasPayload, type StoredEvent } from "../model/event.ts";
import { objectsOf } from "../model/names.ts";
import { type Objects, ObjectsLocked } from "../objects/objects.ts";
import type { ErasedChain } from "../table/erasure.entity.ts";
import { objectOf, type Segment } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import { isOf } from "./erase-rows.ts";
import { keepSuccessor, loadSuccessor } from "./erasure-records.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly objects: Objects };

/** What is erased, and by which erasure. */
type Erased = { readonly key: string; readonly id: string };

/** The result of one step. `next` is undefined when all segments are done. */
export type SegmentStep = {
  readonly next: number | undefined;
  /** When the lock of a former object ends, in milliseconds since 1970, as far as known. */
  readonly lockedUntil: number | undefined;
};

/**
 * Rewrites the next segment from `at` on, if it has events of the key: first the new object, then
 * the segment's row, then the former object is removed. So a reader always finds the object of the
 * row, and every step can be repeated. A former object with a lock stays listed in the row.
 */
export async function eraseSegment(
  deps: Deps,
  stream: ArchivedStream,
  { partition, until }: ErasedChain,
  at: number,
  erased: Erased,
): Promise<SegmentStep> {
  const place = { life: stream.life, partition };
  const { segments } = await deps.table.segments.loadFrom(place, at, 1);
  const [found] = segments;
  if (found === undefined || found.first >= until)
    return { next: undefined, lockedUntil: undefined };
  const segment = await rewrite(deps, stream, { partition, until }, found, erased);
  const isClear =
    segment === undefined || (await removeLeftovers(deps, partition, stream, segment));
  const lockedUntil = isClear ? undefined : lockEnd(stream, found);
  return { next: found.first + 1, lockedUntil };
}

/** Returns the segment as it is afterwards. Undefined when it is gone. */
async function rewrite(
  deps: Deps,
  stream: ArchivedStream,
  { partition, until }: ErasedChain,
  known: Segment,
  { key, id }: Erased,
): Promise<Segment | undefined> {
  const { table, objects, clock } = deps;
  const place = { life: stream.life, partition };
  let segment = known;
  for (let misses = 0; ; ) {
    const present = objectOf(segment);
    let isThere = false;
    const bytes = await objects.read(present.object, 0, present.storedBytes + 1);
    if (bytes === undefined) {
      // The table was restored to a moment before an erasure that has replaced the object.
      const successor = await loadSuccessor(objects, present.object);
      if (successor !== undefined) {
        const { leftovers = [] } = segment;
        isThere = await table.segments.rewrite(place, segment, { ...successor, leftovers });
      }
    } else {
      const hash = createHash("sha256").update(bytes).digest("hex");
      assertInvariant(hash === present.sha256, `segment ${segment.first} is as it was written`);
      const content = eraseInSegment(bytes, present.blocks, isOf(key, until));
      if (content === undefined) return segment;
      const { body, rawBytes, storedBytes, sha256, blocks } = content;
      const object = segmentName(objectsOf(stream.name, stream.uid), partition, {
        ...segment,
        sha256,
      });
      const before = segment.proof ?? segment.chain;
      const rewritten = { object, rawBytes, storedBytes, sha256, blocks, erasure: id, before };
      const lock = lockOf(stream, segment, clock.now());
      isThere = await store(objects, { first: segment.first, ...rewritten }, body, lock);
      if (isThere) {
        const proof = proofOf(rewritten);
        const leftovers = [...(segment.leftovers ?? []), present.object];
        await table.segments.rewrite(place, segment, { rewritten, proof, leftovers });
        const now = await loadAt(table, place, segment.first);
        if (now === undefined || objectOf(now).object !== object) await discard(objects, object);
      }
    }
    const now = await loadAt(table, place, segment.first);
    if (now === undefined) return undefined;
    // Another process that has rewritten the segment removes the objects of this look. Without
    // such a process, the bucket has lost one of them.
    misses = isThere || objectOf(now).object !== present.object ? 0 : misses + 1;
    assertInvariant(misses < MISSES_MAX, `the archive of ${stream.life} has ${present.object}`);
    segment = now;
  }
}

const MISSES_MAX = 3;

async function loadAt(
  table: Table,
  place: { readonly life: ArchivedStream["life"]; readonly partition: number },
  first: number,
): Promise<Segment | undefined> {
  const segment = await table.segments.loadAtOrBefore(place, first);
  return segment?.first === first ? segment : undefined;
}

/** Removes an object that the row does not name. A locked one stays until the stream is removed. */
async function discard(objects: Objects, name: string): Promise<void> {
  await objects.remove([name]).catch((error: unknown) => {
    if (!(error instanceof ObjectsLocked)) throw error;
  });
}

/** Removes the former objects of a segment. Returns false when a lock keeps some of them. */
async function removeLeftovers(
  { table, objects }: Deps,
  partition: number,
  { life }: ArchivedStream,
  segment: Segment,
): Promise<boolean> {
  const { leftovers } = segment;
  if (leftovers === undefined) return true;
  try {
    for (const object of leftovers) await keepSuccessor(objects, object, segment);
    if (leftovers.length > 0) await objects.remove(leftovers);
  } catch (error) {
    if (error instanceof ObjectsLocked) return false;
    throw error;
  }
  await table.segments.forgetLeftovers({ life, partition }, segment);
  return true;
}

const lockEnd = (
  { archiveKeptDays = 0 }: Pick<ArchivedStream, "archiveKeptDays">,
  { lastAt }: Segment,
): number => lastAt + archiveKeptDays * DAY_MS;

/**
 * Returns the content of a segment with some of its events erased. Undefined when it has nothing to
 * erase. It unpacks one block at a time, because a whole segment takes ten times its size in
 * memory. Pure.
 */
export function eraseInSegment(
  bytes: Uint8Array,
  blocks: string,
  isMeant: (event: StoredEvent) => boolean,
): Content | undefined {
  const packer = createPacker();
  let isChanged = false;
  const index = parseBlocks(blocks);
  for (const [at, { offset }] of index.entries()) {
    const block = bytes.subarray(offset, index[at + 1]?.offset ?? bytes.length);
    for (const { event } of unpackBlocks(block)) {
      const isErased = isMeant(event) && hasPayload(event);
      isChanged ||= isErased;
      packer.add(isErased ? eraseEvent(event) : event);
    }
  }
  return isChanged ? packer.finish() : undefined;
}
