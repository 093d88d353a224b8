import type { Chain } from "./chains.ts";
import type { Info } from "./history.ts";

type Copied = Info & { op: "copied" };
type Restored = Info & { op: "restored" };

/** The place where a life begins that a restore created from another. */
type Fork = {
  readonly from: string;
  readonly copy: ReadonlyMap<string, Chain>;
  readonly atMs: number;
};

/**
 * What restores have kept of each life. A life that no restore created is the origin of its family.
 */
export type Restores = {
  copy(line: Copied, chains: Iterable<Chain>): void;
  /** Records a restore. `lives` are all lives that have existed. */
  restore(line: Restored, lives: Iterable<string>): void;
  /** Returns the chains that a restore has kept. */
  begun(line: Restored): { readonly life: string; readonly partition: number }[];
  /**
   * Returns the kept part of a chain. Returns undefined when no restore created its life, and for a
   * partition that the copy does not have.
   */
  keptOf(life: string, partition: number): Chain | undefined;
  /** Returns whether two lives have a common beginning. */
  areKin(a: string, b: string): boolean;
  /** Returns the life of the same family that exists at a moment. */
  presentOf(life: string, atMs: number): string | undefined;
  /**
   * Returns, by partition, where the common part of two lives ends. Returns undefined when they
   * have none. A life has everything in common with itself.
   */
  common(a: string, b: string): ((partition: number) => number) | undefined;
  /** Returns whether a restore has created a life. */
  isRestored(life: string): boolean;
  /** Returns whether a life is a part of another life's past, or that life itself. */
  isPast(a: string, of: string): boolean;
  /**
   * Returns whether a life existed at some moment of a period. A life that no restore concerns
   * always exists.
   */
  isThere(life: string, fromMs: number, toMs: number): boolean;
};

export function createRestores(): Restores {
  const copies = new Map<number, ReadonlyMap<string, Chain>>();
  const forks = new Map<string, Fork>();
  const goneAtMs = new Map<string, number>();

  /** Returns a life and all lives that it comes from, the latest first. */
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
    isRestored: (life) => forks.has(life),
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

const copyOf = ({ from, copy }: Fork, partition: number): Chain | undefined => {
  const chain = copy.get(`${from}/${partition}`);
  return chain === undefined ? undefined : frozen(chain);
};
