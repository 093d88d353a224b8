import { createHash } from "node:crypto";
import type { ArchiveFault } from "@eventledger/protocol";
import { streamNotFound } from "../kernel/error.ts";
import { InvariantError } from "../kernel/invariant.ts";
import { parseBlocks, unpackBlocks } from "../log/cold/blocks.ts";
import { chainCount, type Partitioned } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import { lostUntil } from "../model/restored.ts";
import type { Objects } from "../objects/objects.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import { objectOf, type Segment } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import { chainHash, proofOf } from "./segment-plan.ts";

type Deps = { readonly table: Table; readonly objects: Objects };

/** A place in the walk: after the segment that begins at `after` in a partition. */
export type VerifyPlace = { readonly partition: number; readonly after?: number };

/** The result of a walk. Without `place` it has reached the end, or a fault. */
export type Verification = {
  readonly segments: number;
  readonly events: number;
  readonly bytes: number;
  readonly fault: ArchiveFault | undefined;
  readonly place: VerifyPlace | undefined;
};

const SEGMENTS = 20;

/**
 * Walks the segments of a stream from a place on, in order, and reads each object whole. It stops
 * at the first segment that is missing, changed or out of chain. When `mayGoOn` returns false it
 * stops as well, but after one segment at least. The last chain hash of a partition must be the one
 * in its checkpoint.
 */
export async function verifyArchive(
  deps: Deps,
  stream: Partitioned & { readonly life: Life },
  from: VerifyPlace,
  mayGoOn: () => boolean,
): Promise<Verification> {
  const { life } = stream;
  const count = chainCount(stream);
  let [segments, events, bytes] = [0, 0, 0];
  for (let { partition, after } = from; partition < count; partition++, after = undefined) {
    const walk = await beginWalk(deps, { life, partition }, after);
    for (;;) {
      const found = await nextSegment(deps, walk);
      if (found === undefined) break;
      const reason = isChained(walk, found) ? await faultOf(deps.objects, found) : "out-of-chain";
      if (reason !== undefined) {
        const fault = faultAt(partition, found, reason);
        return { segments, events, bytes, fault, place: undefined };
      }
      segments++;
      events += found.events;
      bytes += objectOf(found).storedBytes;
      walk.last = found;
      if (!mayGoOn()) {
        const place = { partition, after: found.first };
        return { segments, events, bytes, fault: undefined, place };
      }
    }
    const fault = await faultOfEnd(deps, walk);
    if (fault !== undefined) return { segments, events, bytes, fault, place: undefined };
  }
  return { segments, events, bytes, fault: undefined, place: undefined };
}

type Walk = {
  readonly life: Life;
  readonly partition: number;
  /** The checkpoint from before the walk. Later segments are left to the next walk. */
  readonly checkpoint: Checkpoint;
  last: Segment | undefined;
  ready: Segment[];
};

async function beginWalk(
  { table }: Deps,
  place: { readonly life: Life; readonly partition: number },
  after: number | undefined,
): Promise<Walk> {
  const checkpoint = await table.checkpoints.load(place.life, place.partition);
  if (checkpoint === undefined) throw streamNotFound();
  const last = after === undefined ? undefined : await table.segments.loadAtOrBefore(place, after);
  return { ...place, checkpoint, last, ready: [] };
}

async function nextSegment({ table }: Deps, walk: Walk): Promise<Segment | undefined> {
  if (walk.ready.length === 0) {
    const from = walk.last === undefined ? 0 : walk.last.first + 1;
    const { segments } = await table.segments.loadFrom(walk, from, SEGMENTS);
    walk.ready = segments.filter(({ first }) => first < (walk.checkpoint.archivedTo ?? 0));
  }
  return walk.ready.shift();
}

/** Returns whether a segment follows the last one, and is the one whose hash it states. */
function isChained({ last, checkpoint }: Walk, segment: Segment): boolean {
  const { chain, ...record } = segment;
  if (chainHash(record) !== chain) return false;
  const { rewritten, proof } = segment;
  if (proof !== (rewritten === undefined ? undefined : proofOf(rewritten))) return false;
  if (last !== undefined) return segment.previous === last.chain;
  // The segments before the first one have expired, and the archive begins with it. Only numbers
  // that a restore used up may come in between, because they have no segment.
  return segment.first <= lostUntil(checkpoint.lost, checkpoint.archivedFrom ?? 0);
}

/** Compares the object of a segment with its record. */
async function faultOf(
  objects: Objects,
  segment: Segment,
): Promise<ArchiveFault["reason"] | undefined> {
  const present = { ...segment, ...objectOf(segment) };
  const bytes = await objects.read(present.object, 0, present.storedBytes + 1);
  if (bytes === undefined) return "missing";
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== present.sha256 || bytes.length !== present.storedBytes) return "changed";
  return hasItsEvents(bytes, present) ? undefined : "changed";
}

/** Unpacks one block at a time, because a whole segment takes ten times its size in memory. */
function hasItsEvents(bytes: Uint8Array, { first, next, events, blocks }: Segment): boolean {
  try {
    const index = parseBlocks(blocks);
    let before = first - 1;
    let count = 0;
    for (const [at, { offset }] of index.entries()) {
      const block = bytes.subarray(offset, index[at + 1]?.offset ?? bytes.length);
      for (const { event } of unpackBlocks(block)) {
        if (event.sequence <= before || event.sequence >= next) return false;
        before = event.sequence;
        count++;
      }
    }
    return count === events;
  } catch (error) {
    if (error instanceof InvariantError) return false;
    throw error;
  }
}

/** Returns a fault when the last segment is not the one of the checkpoint. */
async function faultOfEnd(
  { table }: Deps,
  { life, partition, checkpoint, last }: Walk,
): Promise<ArchiveFault | undefined> {
  const { archived, archivedFrom = 0, archivedTo = 0 } = checkpoint;
  const chain = last?.chain ?? "";
  if (archived === undefined || archived.segments === 0) return undefined;
  if (chain === archived.chain) return undefined;
  // The days of the last segments may have ended during the walk.
  const present = await table.checkpoints.load(life, partition);
  if ((present?.archivedFrom ?? 0) > archivedFrom) return undefined;
  if (last !== undefined && last.next >= archivedTo)
    return faultAt(partition, last, "out-of-chain");
  return { partition, first: last?.next ?? archivedFrom, next: archivedTo, reason: "missing" };
}

const faultAt = (
  partition: number,
  { first, next, object }: Segment,
  reason: ArchiveFault["reason"],
): ArchiveFault => ({ partition, first, next, object, reason });
