import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SMALLER } from "./smaller.ts";

/** Loaded before a program. Makes the parts of lists small. */
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
