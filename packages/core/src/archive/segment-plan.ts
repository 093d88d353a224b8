import { createHash } from "node:crypto";
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import { BLOCK_RAW_BYTES, type Block, formatBlocks, packLines } from "../log/cold/blocks.ts";
import type { StoredEvent } from "../model/event.ts";
import { printEvent } from "../model/event-text.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Rewritten, Segment } from "../table/segment.entity.ts";

/** A segment is full at this size before compression. */
export const SEGMENT_RAW_BYTES = 8 * 1024 * 1024;

/**
 * A segment that is not full is written once an hour. Two sweeps may be some seconds less than an
 * hour apart. Without the spare minute, the events could wait for another hour.
 */
export const TAIL_EVERY_MS = HOUR_MS - MINUTE_MS;

/** Returns whether enough events wait to be archived, or some have waited for long enough. Pure. */
export function isArchiveDue(
  { next, bytes, archivedTo = 0, archived }: Checkpoint,
  nowMs: number,
): boolean {
  if (archivedTo >= next) return false;
  const { at = 0, bytesBefore = 0 } = archived ?? {};
  return bytes - bytesBefore >= SEGMENT_RAW_BYTES || Math.abs(nowMs - at) >= TAIL_EVERY_MS;
}

/** The content of a segment: its object, and what its row says about it. */
export type Content = Pick<
  Segment,
  "firstAt" | "lastAt" | "events" | "rawBytes" | "storedBytes" | "sha256" | "blocks"
> & { readonly body: Uint8Array };

/** Collects the events of a segment, in order, and packs them into blocks. */
export function createPacker() {
  const blocks: Block[] = [];
  const members: Uint8Array[] = [];
  let lines: string[] = [];
  let block: Omit<Block, "offset"> | undefined;
  let firstAt = 0;
  let lastAt = 0;
  let [events, rawBytes, blockBytes, storedBytes] = [0, 0, 0, 0];

  const closeBlock = () => {
    if (block === undefined) return;
    const member = packLines(lines);
    blocks.push({ ...block, offset: storedBytes });
    members.push(member);
    storedBytes += member.length;
    block = undefined;
    [lines, blockBytes] = [[], 0];
  };

  return {
    add(event: StoredEvent): void {
      const line = printEvent(event);
      const bytes = Buffer.byteLength(line) + 1;
      block ??= { first: event.sequence, at: event.publishedAt };
      if (events === 0) firstAt = event.publishedAt;
      lastAt = event.publishedAt;
      lines.push(line);
      events++;
      rawBytes += bytes;
      blockBytes += bytes;
      if (blockBytes >= BLOCK_RAW_BYTES) closeBlock();
    },

    isFull: (): boolean => rawBytes >= SEGMENT_RAW_BYTES,

    /** Returns the content. Undefined without events. */
    finish(): Content | undefined {
      closeBlock();
      if (events === 0) return undefined;
      const body = Buffer.concat(members);
      const sha256 = createHash("sha256").update(body).digest("hex");
      const index = formatBlocks(blocks);
      return { firstAt, lastAt, events, rawBytes, storedBytes, sha256, blocks: index, body };
    },
  };
}

/**
 * Returns the hash of a segment's record, which includes the hash of the record before it. So a
 * segment cannot be changed, removed or added without changing every later hash.
 */
export function chainHash(segment: Omit<Segment, "chain">): string {
  const { previous, object, first, next, firstAt, lastAt, events } = segment;
  const { rawBytes, storedBytes, sha256, blocks } = segment;
  const place = [object, first, next, firstAt, lastAt, events];
  const record = [previous, ...place, rawBytes, storedBytes, sha256, blocks];
  return createHash("sha256").update(JSON.stringify(record)).digest("hex");
}

/**
 * Returns the hash of the record of an object that an erasure has put in the place of another one.
 * The record has the hash of the one before it, and the first one that of the segment.
 */
export function proofOf(rewritten: Rewritten): string {
  const { before, erasure, object, rawBytes, storedBytes, sha256, blocks } = rewritten;
  const record = [before, erasure, object, rawBytes, storedBytes, sha256, blocks];
  return createHash("sha256").update(JSON.stringify(record)).digest("hex");
}

/** Returns the name of the object of a segment. It has its hash, so that it is never replaced. */
export function segmentName(
  prefix: string,
  partition: number,
  { first, next, sha256 }: Pick<Segment, "first" | "next" | "sha256">,
): string {
  return `${prefix}P${partition}/${padded(first)}-${padded(next)}-${sha256}.ndjson.gz`;
}

/** As many digits as in the keys of batches, so that names sort by range. */
const padded = (sequence: number): string => String(sequence).padStart(14, "0");
