import { gunzipSync, gzipSync } from "node:zlib";
import { InvariantError } from "../../kernel/invariant.ts";
import type { StoredEvent } from "../../model/event.ts";
import { parseEvent } from "../../model/event-text.ts";

/**
 * A gzip member of a segment's object. It begins with the event `first`, published at `at`
 * milliseconds since 1970, and with the byte `offset` of the object.
 */
export type Block = { readonly first: number; readonly offset: number; readonly at: number };

/** The raw size from which a block is full. A page that begins within it inflates no other. */
export const BLOCK_RAW_BYTES = 64 * 1024;

/** This exceeds a page, the block before it and the largest event together. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

/** Returns lines as a gzip member. Several members one after the other are gzip again. */
export const packLines = (lines: readonly string[]): Uint8Array =>
  gzipSync(lines.map((line) => `${line}\n`).join(""));

/** Returns the list of blocks as text, each as its differences from the one before it. */
export function formatBlocks(blocks: readonly Block[]): string {
  let before: Block = { first: 0, offset: 0, at: 0 };
  const differences = blocks.map((block) => {
    const { first, offset, at } = before;
    before = block;
    return [block.first - first, block.offset - offset, block.at - at];
  });
  return JSON.stringify(differences);
}

export function parseBlocks(text: string): Block[] {
  let [first, offset, at] = [0, 0, 0];
  const differences: [number, number, number][] = JSON.parse(text);
  return differences.map(([addedFirst, addedOffset, addedAt]) => {
    first += addedFirst;
    offset += addedOffset;
    at += addedAt;
    return { first, offset, at };
  });
}

/** An event of a segment, and the size of its line. */
export type ColdEvent = { readonly event: StoredEvent; readonly bytes: number };

/** Returns the events of whole blocks, in order. Throws an InvariantError for damaged bytes. */
export function unpackBlocks(bytes: Uint8Array): ColdEvent[] {
  try {
    const raw = gunzipSync(bytes, { maxOutputLength: INFLATED_BYTES_MAX });
    const events: ColdEvent[] = [];
    for (let from = 0; from < raw.length; ) {
      const end = raw.indexOf(LINE_END, from);
      if (end === -1) throw new InvariantError("its last line does not end");
      events.push({ event: parseEvent(raw.toString("utf8", from, end)), bytes: end - from });
      from = end + 1;
    }
    return events;
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    // Parsers quote their input, so only the kind of the error is kept.
    const { name, code = "" } = error as NodeJS.ErrnoException;
    throw new InvariantError(`a block of a segment cannot be read: ${name} ${code}`.trim());
  }
}

const LINE_END = 10;
