import { type Chain, type Chains, indexAt, markOf, type Place } from "./chains.ts";

type Entry = { readonly sequence: number; readonly mark: number; readonly partition: number };

/**
 * What one client holds: the newest event of every key it received, and how far it has come. An
 * event older than the one the view holds of its key changes nothing: after a crash a client
 * receives some events again.
 */
export type View = {
  /** Everything before this position was received, by partition. */
  readonly reached: number[];
  readonly keys: Map<string, Entry>;
  readonly folds: number[];
  life: string | undefined;
  /** Which subscription it was filled by; undefined when the stream itself is read. */
  subscription: string | undefined;
  /** It began with a snapshot or with the first event, so it can be compared with the log. */
  whole: boolean;
  /** When its snapshot was begun. */
  begunAtMs: number;
  /** It was put back after a crash, so a snapshot may bring what it holds. */
  restored: boolean;
  /**
   * Of what it holds nothing was kept over a restore: what a snapshot brought before is missing.
   */
  resumed: boolean;
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
  kept: undefined,
});

export const copyView = (view: View): View => ({
  ...view,
  reached: [...view.reached],
  keys: new Map(view.keys),
  folds: [...view.folds],
  kept: undefined,
});

/** Adds an event. False when the view held exactly this one of its key before. */
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

/** The partitions in which a view differs from the log up to where it has come. */
export function differences(view: View, chains: Chains, life: string): string[] {
  const found: string[] = [];
  view.reached.forEach((next, partition) => {
    const chain: Chain | undefined = chains.of(life, partition);
    // What was neither compacted nor looked at for 30 days may be gone; a repair says so.
    if (chain !== undefined && chain.repairedTo > 1) return;
    const fold = chain === undefined ? 0 : (chain.folds[indexAt(chain, next)] ?? 0);
    if (fold !== (view.folds[partition] ?? 0)) found.push(`${life}/${partition} up to ${next}`);
  });
  return found;
}
