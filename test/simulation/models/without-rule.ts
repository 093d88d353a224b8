import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Mutation } from "./mutations.ts";

/** Loaded before a program. Takes the rule that MUTATION describes out of core as it is loaded. */
const { rule, file, from, to }: Mutation = JSON.parse(process.env.MUTATION ?? "null");
const changed = pathToFileURL(join(import.meta.dirname, "../../../packages/core/src", file)).href;

registerHooks({
  load(url, context, load) {
    const loaded = load(url, context);
    if (url !== changed) return loaded;
    const parts = String(loaded.source).split(from);
    if (parts.length !== 2)
      throw new Error(`"${rule}": ${file} has ${parts.length - 1} places for it`);
    return { ...loaded, source: parts.join(to) };
  },
});
