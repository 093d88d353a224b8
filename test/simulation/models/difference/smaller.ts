/**
 * The changes that make the parts of lists so small that a few events need several of them, which
 * are compared, and read in several windows. The parts are not compressed: this would take a third
 * of the time.
 */
export const SMALLER: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  "compaction/change-plan.ts": [
    ["const GROUP = 8;", "const GROUP = 2;"],
    ["const CHUNK_RAW_BYTES = 256 * 1024;", "const CHUNK_RAW_BYTES = 40;"],
  ],
  "compaction/change-pack.ts": [
    ["zstdCompressSync(raw, PACKING)", "raw"],
    ["zstdDecompressSync(payload, { maxOutputLength })", "Buffer.from(payload)"],
  ],
  "compaction/list-changes.ts": [["const EVENTS_MAX = 100_000;", "const EVENTS_MAX = 3;"]],
  "snapshot/difference.ts": [["const CHANGES_AT_ONCE = 200_000;", "const CHANGES_AT_ONCE = 2;"]],
};
