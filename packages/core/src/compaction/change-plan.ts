import { DAY_MS } from "../kernel/time.ts";
import type { Change, ChangeChunk, ChangeList } from "../model/change.ts";

/**
 * How long a change stays in the list, from its publication. A subscriber that was away for less
 * receives the difference.
 */
export const CHANGES_KEPT_DAYS = 90;
/** A part of a list has at most about this many bytes before compression. A row has 400 KB. */
const CHUNK_RAW_BYTES = 256 * 1024;
/** The bytes that an entry has in addition to its key. */
const ENTRY_BYTES = 16;
const DELETION_BYTES = 120;
/** This many runs of one level are compared. A run is what was listed or compared together. */
const GROUP = 8;
/** The same of runs whose keys changed often. Comparing them saves much, and costs little. */
const REPETITIVE_GROUP = 2;
/** The most changes that are compared at once. They are in memory meanwhile. */
const COMPARED_MAX = 200_000;
/** The oldest parts of a list with more are dropped, so that its row stays small. */
const CHUNKS_MAX = 4_000;

/**
 * Returns the last change of each key, in the order of the sequences. The changes must rise. Pure.
 */
export function latestChanges(changes: Iterable<Change>): Change[] {
  const latest = new Map<string, Change>();
  for (const change of changes) {
    latest.delete(change.key);
    latest.set(change.key, change);
  }
  return [...latest.values()];
}

/** The changes of a part, and the end of its range. */
export type ChunkPlan = { readonly to: number; readonly changes: readonly Change[] };

/** Divides the changes of a range up to `to` into parts that each fit into a row. Pure. */
export function splitChanges(changes: readonly Change[], to: number): ChunkPlan[] {
  const parts: Change[][] = [[]];
  let bytes = 0;
  for (const change of changes) {
    const size = sizeOf(change);
    const last = parts.at(-1);
    if (last === undefined || (last.length > 0 && bytes + size > CHUNK_RAW_BYTES)) {
      parts.push([change]);
      bytes = size;
    } else {
      last.push(change);
      bytes += size;
    }
  }
  return parts.map((part, at) => ({
    changes: part,
    to: parts[at + 1]?.[0]?.sequence ?? to,
  }));
}

const sizeOf = ({ key, deletion }: Change): number =>
  Buffer.byteLength(key) + ENTRY_BYTES + (deletion === undefined ? 0 : DELETION_BYTES);

/** The last parts of a list to compare, and their highest level. */
export type Comparison = { readonly chunks: readonly ChangeChunk[]; readonly level: number };

/**
 * Returns the parts to compare: once eight runs at the end of the list have the same level, or two
 * repetitive ones, their parts and those of lower levels. Comparing them makes one run, so a list
 * has few runs of each level. Pure.
 */
export function planComparison({
  from,
  chunks,
}: Pick<ChangeList, "from" | "chunks">): Comparison | undefined {
  const levels = new Set(chunks.map(({ level }) => level));
  for (const level of [...levels].sort((a, b) => a - b)) {
    const above = chunks.findLastIndex((chunk) => chunk.level > level);
    const group = chunks.slice(above + 1);
    const compared = group.reduce((sum, { count }) => sum + count, 0);
    if (compared > COMPARED_MAX) return undefined;
    const runs = runsOf(group, chunks[above]?.to ?? from).filter((run) => run.level === level);
    const enough = runs.every(isRepetitive) ? REPETITIVE_GROUP : GROUP;
    if (runs.length >= enough) return { chunks: group, level };
  }
  return undefined;
}

/** What was listed or compared together: `count` changes of `sequences` events. */
type Run = { readonly level: number; readonly count: number; readonly sequences: number };

/** Returns the runs of parts, the first of which begins at `from`. */
function runsOf(chunks: readonly ChangeChunk[], from: number): Run[] {
  const runs: Run[] = [];
  let begin = from;
  for (const parts of Map.groupBy(chunks, ({ run }) => run).values()) {
    const end = parts.at(-1)?.to ?? begin;
    runs.push({
      level: parts[0]?.level ?? 0,
      count: parts.reduce((sum, { count }) => sum + count, 0),
      sequences: end - begin,
    });
    begin = end;
  }
  return runs;
}

/** The keys of such a run changed several times on average, so they are likely to change again. */
const isRepetitive = ({ count, sequences }: Run): boolean => count <= sequences * REPETITIVE_PART;

const REPETITIVE_PART = 0.5;

/**
 * The parts that replace the compared ones, and their level. Without `plans` the parts stay as they
 * are.
 */
export type Replacement = {
  readonly plans: readonly ChunkPlan[] | undefined;
  readonly level: number;
};

/**
 * Returns what replaces compared parts: the same without the changes that a later one supersedes,
 * unless that would save too little. The level rises if most of the changes stay. So a change that
 * stays is written once for each level, and the few keys that change all the time are in few runs.
 * Pure.
 */
export function planReplacement(
  compared: readonly (readonly Change[])[],
  { to, level }: { readonly to: number; readonly level: number },
): Replacement {
  const all = compared.flat();
  const latest = latestChanges(all);
  const plans = splitChanges(latest, to);
  const isSmaller = latest.length <= all.length * KEPT_PART || plans.length * 2 <= compared.length;
  const isMuchLess = latest.length <= all.length * LEVEL_PART;
  return { plans: isSmaller ? plans : undefined, level: isMuchLess ? level : level + 1 };
}

/** A comparison that leaves more than this part of the changes rewrites nothing. */
const KEPT_PART = 0.75;
/** A comparison that leaves at most this part of the changes does not raise the level. */
const LEVEL_PART = 0.6;

/**
 * Returns the list without its oldest parts: those whose days are over, and those for which there
 * is no room. Pure.
 */
export function withoutOld({ from, to, chunks, ...list }: ChangeList, nowMs: number): ChangeList {
  const since = nowMs - CHANGES_KEPT_DAYS * DAY_MS;
  const tooMany = chunks.length - CHUNKS_MAX;
  const old = chunks.findIndex(({ at }, index) => at >= since && index >= tooMany);
  const dropped = old === -1 ? chunks.length : old;
  const last = chunks[dropped - 1];
  return { ...list, from: last?.to ?? from, to, chunks: chunks.slice(dropped) };
}
