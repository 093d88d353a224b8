import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NEVER_ENTERED } from "./never-entered.ts";
import type { Reason } from "./reason.ts";

/**
 * The blocks that some seeds have entered. `missed` lists the others as `line: beginning of the
 * block`.
 */
export type Coverage = {
  readonly seeds: number;
  readonly from: number;
  readonly blocks: number;
  readonly entered: number;
  readonly files: readonly {
    readonly file: string;
    readonly blocks: number;
    readonly missed: readonly string[];
  }[];
};

const CORE = "packages/core/src/";
/** Appending, reading, compacting and bootstrapping. */
const WITH_REASONS = /^(log|compaction|snapshot)\//;
/** A beginning that is shorter than this must be the whole block. */
const BEGINNING_MIN = 12;

/** Returns the blocks that no seed has entered and no reason explains. */
export function unexplainedIn(
  { files }: Coverage,
  reasons: readonly Reason[] = NEVER_ENTERED,
): string[] {
  const known = reasons.flatMap(({ blocks }) => blocks.map(partsOf));
  return files.flatMap(({ file, missed }) => {
    const name = file.replace(CORE, "");
    if (!WITH_REASONS.test(name)) return [];
    const here = known.filter((block) => block.file === name).map(({ text }) => text);
    return missed.flatMap((each) => {
      const text = each.replace(/^\d+:/, "").trim();
      const isKnown = here.some(
        (begins) => begins === text || (begins.length >= BEGINNING_MIN && text.startsWith(begins)),
      );
      return isKnown ? [] : [`${file}:${each}`];
    });
  });
}

/** Returns the reasons that explain code which no longer exists. */
export function outdatedReasons(reasons: readonly Reason[] = NEVER_ENTERED): string[] {
  return reasons.flatMap(({ blocks }) =>
    blocks.filter((block) => {
      const { file, text } = partsOf(block);
      const source = readFileSync(join(import.meta.dirname, "../../..", CORE, file), "utf8");
      return !source.replace(/\s+/g, " ").includes(text);
    }),
  );
}

/**
 * Returns whether the code of an unexplained block still exists. A record may be older than the
 * code.
 */
export function isThere(unexplained: string): boolean {
  const [, file = "", text = ""] = /^(.*?):\d+: (.*)$/.exec(unexplained) ?? [];
  const path = join(import.meta.dirname, "../../..", file);
  return existsSync(path) && readFileSync(path, "utf8").replace(/\s+/g, " ").includes(text.trim());
}

function partsOf(block: string): { file: string; text: string } {
  const [file = "", ...rest] = block.split(": ");
  return { file, text: rest.join(": ").trim() };
}
