import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Change, Deletion } from "../model/change.ts";

/**
 * The packed form of changes, in the order of their sequences: compressed JSON of entries
 * `[key, sequence minus the one before it]`. The entry of a tombstone has a third member, the list
 * `[publishedAt, id, type, time, erasure]` without trailing nulls.
 */
type Entry = [key: string, distance: number, deletion?: Packed];
type Packed = (string | number | null)[];

/** Packed changes. `rawBytes` is their size before compression. */
export type PackedChanges = { readonly payload: Uint8Array; readonly rawBytes: number };

/** Keys repeat short pieces by chance. Matches of these cost more than the letters themselves. */
const PACKING = {
  params: { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_minMatch]: 6 },
};

/** The most bytes that a part inflates to. */
const RAW_BYTES_MAX = 4 * 1024 * 1024;

export function packChanges(changes: readonly Change[]): PackedChanges {
  let before = 0;
  const entries = changes.map(({ key, sequence, deletion }): Entry => {
    const distance = sequence - before;
    before = sequence;
    return deletion === undefined ? [key, distance] : [key, distance, packDeletion(deletion)];
  });
  const raw = Buffer.from(JSON.stringify(entries));
  return { payload: zstdCompressSync(raw, PACKING), rawBytes: raw.length };
}

export function unpackChanges({ payload, rawBytes }: PackedChanges): Change[] {
  const maxOutputLength = Math.min(rawBytes, RAW_BYTES_MAX);
  const raw = zstdDecompressSync(payload, { maxOutputLength }).toString();
  const entries: Entry[] = JSON.parse(raw);
  let sequence = 0;
  return entries.map(([key, distance, deletion]) => {
    sequence += distance;
    return deletion === undefined
      ? { key, sequence }
      : { key, sequence, deletion: unpackDeletion(deletion) };
  });
}

function packDeletion({ publishedAt, id, type, time, erasure }: Deletion): Packed {
  const packed: Packed = [publishedAt, id, type ?? null, time ?? null, erasure ?? null];
  while (packed.at(-1) === null) packed.pop();
  return packed;
}

function unpackDeletion([publishedAt, id, type, time, erasure]: Packed): Deletion {
  return {
    publishedAt: Number(publishedAt),
    id: String(id),
    ...(type == null ? {} : { type: String(type) }),
    ...(time == null ? {} : { time: String(time) }),
    ...(erasure == null ? {} : { erasure: String(erasure) }),
  };
}
