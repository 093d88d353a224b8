import type { Chain, ChainEvent, Chains } from "./chains.ts";

/** The events of one key in one life, in their order across all partitions that the key had. */
type KeyRun = readonly ChainEvent[];

/**
 * Returns a function that walks the events of the same key that lie before an event, the latest
 * first. It indexes a life once, so a walk takes no longer for a longer history.
 */
export function createWalks({ all }: Chains): (chain: Chain, event: ChainEvent) => KeyWalk {
  const indexes = new Map<string, LifeIndex>();
  return function* ({ life }, event) {
    const { runs, places } = indexes.get(life) ?? indexLife(all.values(), life);
    indexes.set(life, { runs, places });
    const run = runs.get(event.key) ?? [];
    for (let at = (places.get(event) ?? 0) - 1; at >= 0; at--) {
      const before = run[at];
      if (before !== undefined) yield before;
    }
  };
}

type KeyWalk = Generator<ChainEvent, void>;

type LifeIndex = {
  readonly runs: ReadonlyMap<string, KeyRun>;
  /** Where an event is in the run of its key. */
  readonly places: ReadonlyMap<ChainEvent, number>;
};

function indexLife(chains: Iterable<Chain>, life: string): LifeIndex {
  const runs = new Map<string, ChainEvent[]>();
  const places = new Map<ChainEvent, number>();
  const own = [...chains].filter((chain) => chain.life === life);
  for (const { events } of own.toSorted((a, b) => a.partition - b.partition)) {
    for (const event of events) {
      const run = runs.get(event.key);
      places.set(event, run?.length ?? 0);
      if (run === undefined) runs.set(event.key, [event]);
      else run.push(event);
    }
  }
  return { runs, places };
}
