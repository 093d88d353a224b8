import type { EventRef, Info, Line, Violation, ViolationName } from "./history.ts";
import { createRestores, type Restores } from "./restores.ts";

/** The place of an event. */
export type Place = {
  readonly life: string;
  readonly partition: number;
  readonly sequence: number;
  readonly index: number;
  /**
   * When its batch was first seen in the store. If the store is only read at the end of a run, this
   * is the end.
   */
  readonly seenAtMs: number;
  /** True if that moment is when the batch was put. */
  readonly isExact: boolean;
  /**
   * The life in which the event was written. For an event that a restore kept, this is the life
   * before the restore.
   */
  readonly writtenIn: string;
};

export type ChainEvent = EventRef & {
  readonly sequence: number;
  readonly publishedAtMs: number;
  /** The time from which the event must be kept. */
  readonly keptFromMs: number;
};

/** One partition of one life, as it was written. */
export type Chain = {
  readonly life: string;
  readonly partition: number;
  readonly events: ChainEvent[];
  /** `folds[i]` is the state of all keys after the first `i` events. */
  readonly folds: number[];
  /**
   * Where numbering continues after a repair or a restore: sequence `base` belongs to event
   * `index`.
   */
  readonly segments: { base: number; index: number }[];
  /** The numbers that a restore has skipped. None of them belongs to an event. */
  readonly jumps: { from: number; to: number }[];
  /** The first number after the last repair. 1 without a repair. */
  repairedTo: number;
  /** Numbers below this may belong to events that a restore has lost. */
  readonly freeFrom: number;
  next: number;
  /** The stream goes on in the partitions of the next epoch. */
  turned: boolean;
  sealed: boolean;
  publishedAtMs: number;
  expiresAtMs: number;
};

export type Report = (name: ViolationName, atMs: number, detail: string) => void;

/** The true state by which a history is judged: every chain as it was seen in the store. */
export type Chains = {
  readonly all: ReadonlyMap<string, Chain>;
  of(life: string, partition: number): Chain | undefined;
  placesOf(n: number): readonly Place[];
  /** Returns the places of an event in the lives that existed at some moment of a period. */
  placesIn(n: number, fromMs: number, toMs: number): readonly Place[];
  knows(life: string): boolean;
  /** Which restore created a life, and when another restore ended it. */
  readonly restores: Restores;
};

const NOWHERE: readonly Place[] = [];

/** Collects violations. It keeps the first few of each name. */
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
 * Builds the chains from what was seen in the store. Checks that each chain has no gaps, is never
 * rewritten and is closed by its seal. The first batch seen under a number is the true one. A later
 * batch under the same number is an orphan: no client may have been answered with it or read it.
 */
export function indexChains(lines: readonly Line[], report: Report): Chains {
  const all = new Map<string, Chain>();
  const places = new Map<number, Place[]>();
  const lives = new Set<string>();
  const restores = createRestores();
  const chainOf = (life: string, partition: number, base?: number): Chain => {
    const id = `${life}/${partition}`;
    const chain = all.get(id) ?? firstOf(life, partition, base);
    all.set(id, chain);
    lives.add(life);
    return chain;
  };
  /** Returns a new chain. A chain that a restore has kept begins with the kept part. */
  const firstOf = (life: string, partition: number, base?: number): Chain => {
    const given = [...all.values()].filter(
      (chain) => chain.partition === partition && restores.areKin(chain.life, life),
    );
    const freeFrom = Math.max(1, ...given.map(({ next }) => next));
    const kept = restores.keptOf(life, partition);
    if (kept === undefined) return { ...emptyChain(life, partition, base), freeFrom };
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
    } else if (line.op === "checkpoint") {
      // The first checkpoint of a partition says where it begins, in a later epoch of the stream.
      chainOf(line.life, line.partition, line.checkpoint);
    } else if (line.op === "batch") {
      extend(chainOf(line.life, line.partition), line, report, places);
    }
  }
  // The chain may have more events than a call can have arguments, so they are not spread.
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
 * Returns where an event is durable according to an acknowledgement with its sequence. A retried
 * request may later have written the event to the next life too. An earlier acknowledgement does
 * not refer to that copy.
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

/**
 * Returns whether an event was written more than once. Its times then say nothing about its place.
 */
export const isRewritten = (places: readonly Place[]): boolean =>
  new Set(places.map(({ writtenIn }) => writtenIn)).size > 1;

/** Returns a position without the numbers that a restore has skipped. They belong to no event. */
export const pastJumps = (chain: Chain | undefined, next: number): number =>
  (chain?.jumps ?? []).reduce((at, { from, to }) => (at >= from && at < to ? to : at), next);

/**
 * Returns from when a batch must be kept. If the history knows when the batch was put, that time
 * counts, whatever the clock of its publisher said. It does not count if the put was delayed for so
 * long that no client received an answer.
 */
const keptFrom = ({ seen, atMs, publishedAtMs }: Info & { op: "batch" }): number =>
  seen === true && Math.abs(atMs - publishedAtMs) < CLOCKS_OFF_MS ? atMs : publishedAtMs;

const CLOCKS_OFF_MS = 3 * 3_600_000;

const emptyChain = (life: string, partition: number, base = 1): Chain => ({
  life,
  partition,
  events: [],
  folds: [0],
  segments: [{ base, index: 0 }],
  next: base,
  sealed: false,
  turned: false,
  publishedAtMs: 0,
  expiresAtMs: 0,
  jumps: [],
  repairedTo: 1,
  freeFrom: 1,
});

/** Returns where a chain begins. */
export const baseOf = (chain: Chain | undefined): number => chain?.segments[0]?.base ?? 1;

function extend(
  chain: Chain,
  batch: Info & { op: "batch" },
  report: Report,
  places: Map<number, Place[]>,
): void {
  const where = `${chain.life}/${chain.partition} at ${batch.first}`;
  if (batch.first < chain.next) {
    const at = indexAt(chain, batch.first);
    const isSame = batch.events.every(({ n }, offset) => chain.events[at + offset]?.n === n);
    if (batch.seal === true || batch.turn === true || !isSame) {
      // This is an orphan. It is harmless unless a client relies on it, which the other checks
      // find.
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
  chain.sealed ||= batch.seal === true || batch.turn === true;
  chain.turned ||= batch.turn === true;
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

/** Returns whether the earlier batch under the number may have expired. */
const wasExpired = (chain: Chain, { first, atMs }: { first: number; atMs: number }): boolean => {
  const original = chain.events[indexAt(chain, first)];
  return original !== undefined && atMs - original.publishedAtMs > EXPIRY_AT_LEAST_MS;
};

/** Batches are stored at least this long, whatever their retention. */
const EXPIRY_AT_LEAST_MS = 29 * 24 * 3_600_000;

/** Returns the index of the event at a position, or the length of the chain for its end. */
export function indexAt({ segments, events }: Chain, next: number): number {
  for (let at = segments.length - 1; at >= 0; at--) {
    const segment = segments[at];
    if (segment !== undefined && segment.base <= next) {
      return Math.min(segment.index + (next - segment.base), segments[at + 1]?.index ?? Infinity);
    }
  }
  return Math.min(0, events.length);
}

/**
 * Returns a hash of one key's state. The hashes of several keys are combined with `^`, in any
 * order.
 */
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
