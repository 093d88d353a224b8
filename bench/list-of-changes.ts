import { createHash } from "node:crypto";
import { packChanges } from "../packages/core/src/compaction/change-pack.ts";
import {
  latestChanges,
  planComparison,
  planReplacement,
  splitChanges,
} from "../packages/core/src/compaction/change-plan.ts";
import { LISTED_AT_ONCE } from "../packages/core/src/compaction/list-changes.ts";
import type { Change, ChangeChunk } from "../packages/core/src/model/change.ts";

/**
 * Counts the write units of the list of changes, and those of the layout that was not chosen: the
 * compacted state as sorted runs. Prints them per event. It runs the plans of the product, and no
 * table.
 */

const EVENTS = Number(process.env.EVENTS ?? 1_000_000);
const STATE_BYTES = 400;

const unitsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1_024));

/** A part, and its content. */
type Part = ChangeChunk & { readonly changes: readonly Change[]; readonly units: number };

const keys = new Map<number, string>();

/** Returns a key that compresses like a random UUID. */
function uuid(n: number): string {
  const known = keys.get(n);
  if (known !== undefined) return known;
  const hex = createHash("sha256").update(String(n)).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  const key = [...parts, hex.slice(20, 32)].join("-");
  keys.set(n, key);
  return key;
}

/** Keys in the order of their changes: each as often as any other, or most of them a few. */
function keyOf(load: "uniform" | "hot", keys: number, random: () => number): number {
  const at = Math.floor(random() * keys);
  return load === "hot" && random() < 0.9 ? at % Math.ceil(keys / 100) : at;
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lists the changes of events, as compaction does. */
function listAll(next: (sequence: number) => number, events: number, since: number) {
  let parts: Part[] = [];
  let units = 0;
  let ids = 0;
  const write = (changes: readonly Change[], to: number, level: number, run: number): Part => {
    const { payload } = packChanges(changes);
    const written = unitsOf(payload.length + 120);
    units += written;
    const chunk = { id: String(ids++), to, count: changes.length, level, run, at: 0 };
    return { ...chunk, changes, units: written };
  };
  let some: Change[] = [];
  const changed = new Set<string>();
  for (let sequence = 1; sequence <= events; sequence++) {
    const key = uuid(next(sequence));
    some.push({ key, sequence });
    if (sequence >= since) changed.add(key);
    if (sequence % LISTED_AT_ONCE !== 0 && sequence < events) continue;
    const to = sequence + 1;
    for (const plan of splitChanges(latestChanges(some), to)) {
      parts.push(write(plan.changes, plan.to, 0, to));
    }
    some = [];
    for (;;) {
      const plan = planComparison({ from: 1, chunks: parts });
      if (plan === undefined) break;
      const group = parts.slice(parts.length - plan.chunks.length);
      const kept = parts.slice(0, parts.length - group.length);
      const compared = group.map(({ changes }) => changes);
      const { plans, level } = planReplacement(compared, { to, level: plan.level });
      if (plans !== undefined) for (const part of group) units += part.units;
      const next =
        plans?.map((each) => write(each.changes, each.to, level, to)) ??
        group.map((part) => ({ ...part, level, run: to }));
      parts = [...kept, ...next];
    }
    // The row that names the parts.
    units += unitsOf(100 + parts.length * 36);
  }
  const listed = parts.filter(({ to }) => to > since);
  const bytes = listed.reduce((sum, { changes }) => sum + packChanges(changes).payload.length, 0);
  return { units, parts: parts.length, bytes, changed: changed.size };
}

/**
 * The state as sorted runs: each compaction writes the changed states of `n` events as one run, and
 * eight runs of a level become one of the next.
 */
function sortedRuns(load: "uniform" | "hot", keys: number, events: number, n: number) {
  const random = randomOf(keys);
  let units = 0;
  const levels: Set<number>[][] = [[]];
  const write = (run: ReadonlySet<number>) => {
    units += unitsOf(run.size * STATE_BYTES);
  };
  for (let at = 0; at < events; at += n) {
    const run = new Set(Array.from({ length: n }, () => keyOf(load, keys, random)));
    write(run);
    levels[0]?.push(run);
    for (let level = 0; (levels[level]?.length ?? 0) >= 8; level++) {
      const merged = new Set<number>();
      for (const each of levels[level] ?? []) {
        // A deletion costs as much as a write.
        write(each);
        for (const key of each) merged.add(key);
      }
      write(merged);
      levels[level] = [];
      levels[level + 1] ??= [];
      levels[level + 1]?.push(merged);
    }
  }
  return { units, runs: levels.reduce((sum, { length }) => sum + length, 0) };
}

console.log(`| load | keys | list, units/event | parts | bytes of the list per changed key | sorted runs, n = 1 | n = 10 | n = 100 |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`);
for (const load of ["uniform", "hot"] as const) {
  for (const keys of [1_000, 10_000, 100_000]) {
    const random = randomOf(keys);
    const list = listAll(() => keyOf(load, keys, random), EVENTS, EVENTS / 2);
    const perEvent = (list.units / EVENTS).toFixed(3);
    const runs = [1, 10, 100].map((n) => {
      const events = Math.min(EVENTS, 50_000);
      const found = sortedRuns(load, keys, events, n);
      return `${(found.units / events).toFixed(2)} (${found.runs} runs)`;
    });
    console.log(
      `| ${load} | ${keys.toLocaleString("en")} | ${perEvent} | ${list.parts} | ${(list.bytes / list.changed).toFixed(0)} | ${runs.join(" | ")} |`,
    );
  }
}

// A subscriber knows 100,000 keys, and then 1,000 of them change a million times.
const [all, few, versions] = [100_000, 1_000, EVENTS];
const random = randomOf(few);
const { bytes, changed, parts } = listAll(
  (sequence) => (sequence <= all ? sequence : Math.floor(random() * few)),
  all + versions,
  all + 1,
);
for (const stateBytes of [STATE_BYTES, 1_024]) {
  const part = (bytes / (changed * stateBytes)).toFixed(3);
  console.log(
    `${changed} of ${all} keys after ${versions} versions: ${bytes} bytes of the list in ${parts} parts, ${part} of states of ${stateBytes} bytes`,
  );
}
