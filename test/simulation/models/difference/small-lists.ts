import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Loaded before a program. Makes the parts of lists so small that a few events need several of
 * them, which are compared, and read in several windows. The parts are not compressed: this would
 * take a third of the time.
 */
const SMALLER: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
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

const core = join(import.meta.dirname, "../../../../packages/core/src");
const files = new Map(
  Object.entries(SMALLER).map(([file, changes]) => [pathToFileURL(join(core, file)).href, changes]),
);

registerHooks({
  load(url, context, load) {
    const loaded = load(url, context);
    const changes = files.get(url);
    if (changes === undefined) return loaded;
    let source = String(loaded.source);
    for (const [from, to] of changes) {
      if (source.split(from).length !== 2) throw new Error(`${url} has no place for ${from}`);
      source = source.replace(from, to);
    }
    return { ...loaded, source };
  },
});
