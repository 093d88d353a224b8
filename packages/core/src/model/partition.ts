import { COMPACTED_BUCKETS } from "./snapshot-progress.ts";

const encoder = new TextEncoder();

/**
 * Returns the partition of a key by `fnv1a-fmix32/1`: FNV-1a over its UTF-8 bytes, finished with
 * MurmurHash3's fmix32 (FNV alone is too regular on sequential keys), modulo the number of
 * partitions. `partition-vectors.json` has examples for other implementations. Sources: Fowler,
 * Noll and Vo (offset 0x811c9dc5, prime 0x01000193); A. Appleby, MurmurHash3.
 */
export const partitionOf = (key: string, partitions: number): number =>
  partitions === 1 ? 0 : hashKey(key) % partitions;

/**
 * Returns the bucket of a key in the compacted state. Other bits of the hash choose the partition.
 */
export const bucketOf = (key: string): number =>
  Math.floor(hashKey(key) / 2 ** 28) % COMPACTED_BUCKETS;

/** Returns the 32-bit hash of a key, unsigned. */
export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
