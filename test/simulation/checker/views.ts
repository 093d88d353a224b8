import { type Chain, type Chains, indexAt, markOf, type Place } from "./chains.ts";

type Entry = { readonly sequence: number; readonly mark: number; readonly partition: number };

/**
 * The view of one client: the newest event of every key that it received, and how far it has read.
 * An event older than the one in the view changes nothing, because a client receives some events
 * again after a crash.
 */
export type View = {
  /** By partition, the position before which everything was received. */
  readonly reached: number[];
  readonly keys: Map<string, Entry>;
  readonly folds: number[];
  life: string | undefined;
  /** The subscription that filled the view. Undefined if the view reads the stream itself. */
  subscription: string | undefined;
  /**
   * True if the view began with a snapshot or with the first event, so that it can be compared with
   * the log.
   */
  whole: boolean;
  /** When its snapshot began. */
  begunAtMs: number;
  /** True if it was put back after a crash. A snapshot may then deliver again what it holds. */
  restored: boolean;
  /**
   * True if a restore kept nothing of what it holds. Then the states that an earlier snapshot
   * delivered are missing.
   */
  resumed: boolean;
  /** Where the copy was complete to which a snapshot adds what changed since. */
  since: readonly number[] | undefined;
  kept: View | undefined;
};

export const emptyView = (): View => ({
  reached: [],
  keys: new Map(),
  folds: [],
  life: undefined,
  whole: false,
  subscription: undefined,
  begunAtMs: Infinity,
  restored: false,
  resumed: false,
  since: undefined,
  kept: undefined,
});

export const copyView = (view: View): View => ({
  ...view,
  reached: [...view.reached],
  keys: new Map(view.keys),
  folds: [...view.folds],
  kept: undefined,
});

/** Adds an event. Returns false when the view already held exactly this event of its key. */
export function addToView(
  view: View,
  event: { readonly n: number; readonly key: string; readonly dead?: true },
  { partition, sequence }: Place,
): boolean {
  const known = view.keys.get(event.key);
  if (known !== undefined && known.sequence >= sequence) return known.sequence > sequence;
  const mark = event.dead === true ? 0 : markOf(event);
  view.folds[partition] = (view.folds[partition] ?? 0) ^ (known?.mark ?? 0) ^ mark;
  view.keys.set(event.key, { sequence, mark, partition });
  return true;
}

/** Returns the partitions in which a view differs from the log up to its position. */
export function differences(view: View, chains: Chains, life: string): string[] {
  const found: string[] = [];
  if (view.reached.some((_, partition) => chains.of(life, partition)?.turned)) {
    return differencesOverEpochs(view, chains, life);
  }
  view.reached.forEach((next, partition) => {
    const chain: Chain | undefined = chains.of(life, partition);
    // Events that were neither compacted nor checked for 30 days may be lost. A repair reports
    // that.
    if (chain !== undefined && chain.repairedTo > 1) return;
    const fold = chain === undefined ? 0 : (chain.folds[indexAt(chain, next)] ?? 0);
    if (fold !== (view.folds[partition] ?? 0)) found.push(`${life}/${partition} up to ${next}`);
  });
  return found;
}

/** A key is in one partition of each epoch. Its last event is in the last of them. */
function differencesOverEpochs(view: View, chains: Chains, life: string): string[] {
  const marks = new Map<string, number>();
  for (const [partition, next] of view.reached.entries()) {
    const chain = chains.of(life, partition);
    if (chain === undefined) continue;
    if (chain.repairedTo > 1) return [];
    for (const event of chain.events.slice(0, indexAt(chain, next))) {
      marks.set(event.key, event.dead === true ? 0 : markOf(event));
    }
  }
  const xor = (all: Iterable<number | undefined>): number => {
    let fold = 0;
    for (const each of all) fold ^= each ?? 0;
    return fold;
  };
  return xor(marks.values()) === xor(view.folds) ? [] : [`${life} up to ${view.reached.join()}`];
}
