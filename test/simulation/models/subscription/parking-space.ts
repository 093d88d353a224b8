import { createCursors } from "../../../../packages/core/src/cursor/cursor.ts";
import type { Item } from "../../dynamodb/value.ts";
import {
  CURSOR_KEYS,
  type ExitPlan,
  type ExitState,
  playStep,
  type Step,
} from "./parking-exits.ts";

export type Explored = {
  readonly states: number;
  readonly steps: number;
  /** The violations, each with the steps that lead to it. */
  readonly violations: readonly { readonly path: readonly Step[]; readonly detail: string }[];
};

/** What is explored: all sequences of up to `depth` of these steps, after those of `start`. */
export type Space = Omit<ExitPlan, "steps"> & {
  readonly start: readonly Step[];
  readonly alphabet: readonly Step[];
  readonly depth: number;
  /** No further events are published once the log has this many. */
  readonly eventsMax: number;
};

const near = (start: readonly Step[], depth: number): Space => ({
  servers: 1,
  consumer: undefined,
  thrifty: false,
  start,
  depth,
  eventsMax: 3,
  alphabet: ["poll", "commit", "fail", "retry a", "skip a", "publish a", "five hours"],
});

/**
 * The spaces to explore. Each begins close to a parked key: the first before any poll, the second
 * after an event has failed, the third after a commit has passed that event.
 */
export const SPACES = [
  near(["publish a", "publish b"], 3),
  near(["publish a", "poll", "fail"], 3),
  near(["publish a", "poll", "fail", "commit"], 3),
] as const;

type Node = { readonly state: ExitState; readonly path: readonly Step[] };

const VIOLATIONS_MAX = 5;
const HOUR_MS = 60 * 60_000;
const { parse } = createCursors(CURSOR_KEYS);

/**
 * Plays all short histories of a consumer and an operator, each state once. Checks in every state
 * that there is a way out. Two states count as the same when they differ only in counters and in
 * durations of less than an hour. Each step runs in a new process that remembers nothing.
 */
export async function explore(space: Space): Promise<Explored> {
  const violations: { path: readonly Step[]; detail: string }[] = [];
  const seen = new Set<string>();
  let steps = 0;
  let level: Node[] = [];
  const visit = async (next: Node[], node: Node, wrong: readonly string[]): Promise<void> => {
    const id = nameOf(node.state);
    if (seen.has(id)) return;
    seen.add(id);
    const { violations: late } = await playStep(space, node.state, "flow at once");
    const { violations: stuck } = await playStep(space, node.state, "lead out");
    for (const detail of [...wrong, ...late, ...stuck])
      violations.push({ path: node.path, detail });
    next.push(node);
  };
  let { state } = await playStep(space, undefined, "create");
  for (const step of space.start) ({ state } = await playStep(space, state, step));
  await visit(level, { state, path: space.start }, []);
  for (let depth = 0; depth < space.depth; depth++) {
    const next: Node[] = [];
    for (const node of level) {
      for (const step of space.alphabet) {
        if (step.startsWith("publish") && node.state.end >= space.eventsMax) continue;
        if (violations.length >= VIOLATIONS_MAX) return { states: seen.size, steps, violations };
        steps++;
        const played = await playStep(space, node.state, step);
        await visit(next, { state: played.state, path: [...node.path, step] }, played.violations);
      }
    }
    level = next;
  }
  return { states: seen.size, steps, violations };
}

/** Returns the violations in these spaces. */
export async function playSpaces(): Promise<{ name: string; detail: string }[]> {
  for (const space of SPACES) {
    const [found] = (await explore(space)).violations;
    if (found === undefined) continue;
    return [{ name: "parking exits", detail: `${found.path}: ${found.detail}` }];
  }
  return [];
}

/** Returns a text that is the same for states that behave alike. */
function nameOf({ items, nowMs, processed, excused, failing, page }: ExitState): string {
  const of = (prefix: string) => items.filter(({ sk }) => String(sk).startsWith(prefix));
  const [offset] = of("OFFSET#");
  const ageOf = (atMs: unknown) => Math.min(4, Math.floor((nowMs - Number(atMs)) / HOUR_MS));
  return JSON.stringify([
    of("SEQ#").map(({ sk, t }) => [sk, ageOf(t)]),
    of("CHECKPOINT").map(({ floor }) => floor),
    of("MEMBER#").map(({ sk }) => sk),
    offset === undefined ? [] : rowOf(offset),
    page === undefined ? [] : [page.events.map(({ sequence }) => sequence), cursorOf(page, offset)],
    [...processed].sort(),
    [...excused].sort(),
    [...failing],
  ]);
}

type Parked = Readonly<Record<"id" | "from" | "next" | "key" | "retrying", unknown>> & {
  readonly was?: readonly unknown[];
};

const parkedIn = ({ q = [] }: Item): readonly Parked[] => q as unknown as readonly Parked[];

/** Returns the committed offset of the subscription, and its waiting events. */
const rowOf = (row: Item): unknown => [
  row.n,
  row.g,
  parkedIn(row).map(({ key, from, next, retrying }) => [key, from, next, retrying]),
  ((row.h ?? []) as unknown as readonly { sequence: unknown }[]).map(({ sequence }) => sequence),
];

/** Returns what a page covers, and whether that still counts. */
function cursorOf({ cursor }: { readonly cursor: string }, row: Item | undefined): unknown {
  const { positions, releaseCounts, queue, subscription } = parse(cursor);
  const ids = row === undefined ? [] : parkedIn(row).map(({ id, was = [] }) => [id, ...was]);
  return [
    positions.map((at) => at?.next),
    subscription?.generation,
    Number(row?.f ?? 0) - Number(releaseCounts?.[0] ?? 0),
    queue === undefined ? [] : [queue.next, ids.map((all) => all.indexOf(queue.id))],
  ];
}
