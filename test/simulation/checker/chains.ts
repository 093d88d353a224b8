import type { EventRef, Info, Line, Violation, ViolationName } from "./history.ts";
import { createRestores, type Restores } from "./restores.ts";

/** Where an event is. */
export type Place = {
  readonly life: string;
  readonly partition: number;
  readonly sequence: number;
  readonly index: number;
  /** When its batch was first seen in the store; at the end where the store is only read back. */
  readonly seenAtMs: number;
  /** That moment is the one at which the batch was put. */
  readonly isExact: boolean;
  /** The life that it was written in; the one before a restore for what that has kept. */
  readonly writtenIn: string;
};

type ChainEvent = EventRef & {
  readonly sequence: number;
  readonly publishedAtMs: number;
  /** From when on it has to be kept. */
  readonly keptFromMs: number;
};

/** One partition of one life, as it was written. */
export type Chain = {
  readonly life: string;
  readonly partition: number;
  readonly events: ChainEvent[];
  /** `folds[i]` is the state of all keys after the first `i` events. */
  readonly folds: number[];
  /** Where numbering goes on after a repair or a restore: sequence `base` is event `index`. */
  readonly segments: { base: number; index: number }[];
  /** Numbers that a restore has used up: none of them is an event's. */
  readonly jumps: { from: number; to: number }[];
  /** Where the last repair has ended; 1 when there was none. */
  repairedTo: number;
  /** Below this, numbers may have been given to events that a restore has lost. */
  readonly freeFrom: number;
  next: number;
  sealed: boolean;
  publishedAtMs: number;
  expiresAtMs: number;
};

export type Report = (name: ViolationName, atMs: number, detail: string) => void;

/** The truth a history is judged by: every chain as the store was seen to hold it. */
export type Chains = {
  readonly all: ReadonlyMap<string, Chain>;
  of(life: string, partition: number): Chain | undefined;
  placesOf(n: number): readonly Place[];
  /** Of the same, those in lives that were there at some moment of a time. */
  placesIn(n: number, fromMs: number, toMs: number): readonly Place[];
  knows(life: string): boolean;
  /** Which restore a life comes from, and when another has ended it. */
  readonly restores: Restores;
};

const NOWHERE: readonly Place[] = [];

/** Collects violations; the first few of each name are enough. */
export function createReport(): { report: Report; found: Violation[] } {
  const found: Violation[] = [];
  const counts = new Map<ViolationName, number>();
  const report: Report = (name, atMs, detail) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (count <= SHOWN_MAX) found.push({ name, atMs, detail });
  };
  return { report, found };
}

const SHOWN_MAX = 5;

/**
 * Builds the chains from what was seen of the store, and checks that each is one: dense,
 * write-once, closed by its seal. The first batch seen under a number is the true one; a later one
 * under the same number is an orphan, which no client may have been answered with or may read.
 */
export function indexChains(lines: readonly Line[], report: Report): Chains {
  const all = new Map<string, Chain>();
  const places = new Map<number, Place[]>();
  const lives = new Set<string>();
  const restores = createRestores();
  const chainOf = (life: string, partition: number): Chain => {
    const id = `${life}/${partition}`;
    const chain = all.get(id) ?? firstOf(life, partition);
    all.set(id, chain);
    lives.add(life);
    return chain;
  };
  /** A new chain; that of a life that a restore has kept begins with what was kept of it. */
  const firstOf = (life: string, partition: number): Chain => {
    const kept = restores.keptOf(life, partition);
    if (kept === undefined) return emptyChain(life, partition);
    const given = [...all.values()].filter(
      (chain) => chain.partition === partition && restores.areKin(chain.life, life),
    );
    const freeFrom = Math.max(1, ...given.map(({ next }) => next));
    const events = kept.events.map((event) => ({ ...event }));
    for (const { n } of events) {
      const [was] = (places.get(n) ?? []).filter(
        (place) => place.life === kept.life && place.partition === partition,
      );
      if (was !== undefined) places.get(n)?.push({ ...was, life });
    }
    return { ...kept, life, events, folds: [0], freeFrom };
  };
  for (const line of lines) {
    if (line.type !== "info") continue;
    if (line.op === "copied") restores.copy(line, all.values());
    else if (line.op === "restored") {
      restores.restore(line, lives);
      for (const { partition, life } of restores.begun(line)) chainOf(life, partition);
    } else if (line.op === "repair") {
      const chain = chainOf(line.life, line.partition);
      chain.segments.push({ base: line.next, index: chain.events.length });
      chain.repairedTo = line.next;
      chain.next = line.next;
    } else if (line.op === "batch") {
      extend(chainOf(line.life, line.partition), line, report, places);
    }
  }
  // Not by spreading: a chain may have more events than a call may have arguments.
  for (const chain of all.values())
    for (const fold of foldsOf(chain.events)) chain.folds.push(fold);
  return {
    all,
    of: (life, partition) => all.get(`${life}/${partition}`),
    placesOf: (n) => places.get(n) ?? NOWHERE,
    placesIn: (n, fromMs, toMs) =>
      (places.get(n) ?? NOWHERE).filter(({ life }) => restores.isThere(life, fromMs, toMs)),
    knows: (life) => lives.has(life),
    restores,
  };
}

/**
 * Where an event is durable, by an acknowledgement with its sequence. A request that was sent again
 * may have brought it to the next life too, later: an earlier acknowledgement is not about that.
 */
export function placesTold(
  { placesIn }: Chains,
  n: number,
  { sequence, atMs }: { sequence: number | undefined; atMs: number },
): Place[] {
  const places = placesIn(n, atMs, atMs);
  return places.filter(
    (place) => place.sequence === sequence && (places.length === 1 || place.seenAtMs <= atMs),
  );
}

/** Whether an event was written more often than once: then its times say nothing of its place. */
export const isRewritten = (places: readonly Place[]): boolean =>
  new Set(places.map(({ writtenIn }) => writtenIn)).size > 1;

/** A position with what a restore has used up passed over: there is no event in it. */
export const pastJumps = (chain: Chain | undefined, next: number): number =>
  (chain?.jumps ?? []).reduce((at, { from, to }) => (at >= from && at < to ? to : at), next);

/**
 * Where the history knows when a batch was put, that counts, whatever the clock of its publisher
 * said; unless its put was held up for so long that no client was answered with it.
 */
const keptFrom = ({ seen, atMs, publishedAtMs }: Info & { op: "batch" }): number =>
  seen === true && Math.abs(atMs - publishedAtMs) < CLOCKS_OFF_MS ? atMs : publishedAtMs;

const CLOCKS_OFF_MS = 3 * 3_600_000;

const emptyChain = (life: string, partition: number): Chain => ({
  life,
  partition,
  events: [],
  folds: [0],
  segments: [{ base: 1, index: 0 }],
  next: 1,
  sealed: false,
  publishedAtMs: 0,
  expiresAtMs: 0,
  jumps: [],
  repairedTo: 1,
  freeFrom: 1,
});

function extend(
  chain: Chain,
  batch: Info & { op: "batch" },
  report: Report,
  places: Map<number, Place[]>,
): void {
  const where = `${chain.life}/${chain.partition} at ${batch.first}`;
  if (batch.first < chain.next) {
    const same = chain.events[indexAt(chain, batch.first)];
    if (batch.seal === true || same?.n !== batch.events[0]?.n) {
      // An orphan: harmless unless a client relies on it, which the other checks find.
      if (!wasExpired(chain, batch)) report("chain-mismatch", batch.atMs, `a second one ${where}`);
    }
    return;
  }
  if (chain.sealed) report("write-past-seal", batch.atMs, where);
  if (batch.first > chain.next) report("chain-gap", batch.atMs, `${where}, not ${chain.next}`);
  if (batch.events.length > 0 && batch.first < chain.freeFrom) {
    report("number-reuse", batch.atMs, `${where}, free from ${chain.freeFrom}`);
  }
  if (batch.publishedAtMs < chain.publishedAtMs) report("time-regress", batch.atMs, where);
  if (batch.expiresAtMs !== undefined && batch.expiresAtMs < chain.expiresAtMs) {
    report("time-regress", batch.atMs, `${where} expires earlier`);
  }
  chain.publishedAtMs = batch.publishedAtMs;
  chain.expiresAtMs = batch.expiresAtMs ?? chain.expiresAtMs;
  chain.sealed ||= batch.seal === true;
  batch.events.forEach((event, offset) => {
    const sequence = batch.first + offset;
    const index = chain.events.length;
    const keptFromMs = keptFrom(batch);
    chain.events.push({ ...event, sequence, publishedAtMs: batch.publishedAtMs, keptFromMs });
    const known = places.get(event.n);
    const { life, partition } = chain;
    const seen = { seenAtMs: batch.atMs, isExact: batch.seen === true };
    const place = { life, partition, sequence, index, ...seen, writtenIn: life };
    if (known === undefined) places.set(event.n, [place]);
    else known.push(place);
  });
  chain.next = batch.first + batch.events.length + (batch.jump ?? 0);
  if (batch.jump === undefined) return;
  chain.jumps.push({ from: batch.first, to: chain.next });
  chain.segments.push({ base: chain.next, index: chain.events.length });
}

/** Whether what had stood under the number may have been deleted by its expiry. */
const wasExpired = (chain: Chain, { first, atMs }: { first: number; atMs: number }): boolean => {
  const original = chain.events[indexAt(chain, first)];
  return original !== undefined && atMs - original.publishedAtMs > EXPIRY_AT_LEAST_MS;
};

/** Batches stay at least this long, whatever their retention. */
const EXPIRY_AT_LEAST_MS = 29 * 24 * 3_600_000;

/** The index of the event at a position; the length of the chain for its end. */
export function indexAt({ segments, events }: Chain, next: number): number {
  for (let at = segments.length - 1; at >= 0; at--) {
    const segment = segments[at];
    if (segment !== undefined && segment.base <= next) {
      return Math.min(segment.index + (next - segment.base), segments[at + 1]?.index ?? Infinity);
    }
  }
  return Math.min(0, events.length);
}

/** A mark of one key's state; marks of many keys are combined with `^`, in any order. */
export const markOf = ({ n, key }: { n: number; key: string }): number => {
  let hash = 0x811c9dc5 ^ n;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

function foldsOf(events: readonly EventRef[]): number[] {
  const marks = new Map<string, number>();
  let fold = 0;
  return events.map((event) => {
    const mark = event.dead === true ? 0 : markOf(event);
    fold ^= (marks.get(event.key) ?? 0) ^ mark;
    marks.set(event.key, mark);
    return fold;
  });
}
