import type { Chain } from "./chains.ts";
import type { Info } from "./history.ts";

type Copied = Info & { op: "copied" };
type Restored = Info & { op: "restored" };

/** Where a life begins that a restore has made of another. */
type Fork = {
  readonly from: string;
  readonly copy: ReadonlyMap<string, Chain>;
  readonly atMs: number;
};

/** What restores have kept of which life. A life without a restore is the beginning of its kin. */
export type Restores = {
  copy(line: Copied, chains: Iterable<Chain>): void;
  /** `lives` are all that there have been. */
  restore(line: Restored, lives: Iterable<string>): void;
  /** The chains that a restore has kept. */
  begun(line: Restored): { readonly life: string; readonly partition: number }[];
  /** What is kept of a chain; undefined when its life comes from no restore. */
  keptOf(life: string, partition: number): Chain | undefined;
  /** Whether two lives have a beginning in common. */
  areKin(a: string, b: string): boolean;
  /** The life of the same kin that is there at a moment. */
  presentOf(life: string, atMs: number): string | undefined;
  /**
   * Where what two lives have in common ends, by partition; undefined when they have nothing. They
   * have everything in common when they are the same.
   */
  common(a: string, b: string): ((partition: number) => number) | undefined;
  /** Whether everything of a life is a part of another one's past, or of its own. */
  isPast(a: string, of: string): boolean;
  /** Whether a life was there at some moment of a time; always, of one that no restore knows. */
  isThere(life: string, fromMs: number, toMs: number): boolean;
};

export function createRestores(): Restores {
  const copies = new Map<number, ReadonlyMap<string, Chain>>();
  const forks = new Map<string, Fork>();
  const goneAtMs = new Map<string, number>();

  /** A life and all that it comes from, the latest first. */
  const lineOf = (life: string): string[] => {
    const from = forks.get(life)?.from;
    return from === undefined ? [life] : [life, ...lineOf(from)];
  };
  const keptOf = (life: string, partition: number): Chain | undefined => {
    const fork = forks.get(life);
    return fork === undefined ? undefined : copyOf(fork, partition);
  };
  const isThere = (life: string, fromMs: number, toMs: number): boolean =>
    (forks.get(life)?.atMs ?? -Infinity) <= toMs && (goneAtMs.get(life) ?? Infinity) >= fromMs;

  return {
    keptOf,
    isThere,
    copy: ({ copy }, chains) => {
      const kept = new Map<string, Chain>();
      for (const chain of chains) kept.set(`${chain.life}/${chain.partition}`, frozen(chain));
      copies.set(copy, kept);
    },
    restore: ({ copy, lives, atMs }, known) => {
      for (const life of [...known, ...forks.keys(), ...lives.map(({ from }) => from)]) {
        if (!goneAtMs.has(life)) goneAtMs.set(life, atMs);
      }
      for (const { from, to } of lives) {
        forks.set(to, { from, copy: copies.get(copy) ?? new Map(), atMs });
      }
    },
    begun: ({ copy, lives }) =>
      [...(copies.get(copy)?.values() ?? [])].flatMap(({ life, partition }) =>
        lives.filter(({ from }) => from === life).map(({ to }) => ({ life: to, partition })),
      ),
    areKin: (a, b) => lineOf(a).at(-1) === lineOf(b).at(-1),
    presentOf: (life, atMs) =>
      [life, ...forks.keys()].find(
        (each) => lineOf(each).at(-1) === lineOf(life).at(-1) && isThere(each, atMs, atMs),
      ),
    isPast: (a, of) => lineOf(of).includes(a),
    common: (a, b) => {
      const [ofA, ofB] = [lineOf(a), lineOf(b)];
      const shared = ofA.find((life) => ofB.includes(life));
      if (shared === undefined) return undefined;
      const steps = [ofA, ofB].flatMap((line) => line.slice(0, line.indexOf(shared)));
      return (partition) =>
        Math.min(Infinity, ...steps.map((life) => keptOf(life, partition)?.next ?? 1));
    },
  };
}

const frozen = (chain: Chain): Chain => ({
  ...chain,
  events: [...chain.events],
  segments: [...chain.segments],
  jumps: [...chain.jumps],
});

/** A life that was copied before its first event has nothing. */
const copyOf = ({ from, copy }: Fork, partition: number): Chain => {
  const chain = copy.get(`${from}/${partition}`);
  if (chain !== undefined) return frozen(chain);
  return {
    life: from,
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
  };
};
