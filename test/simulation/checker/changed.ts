import { baseOf, type Chains } from "./chains.ts";
import type { EventRef } from "./history.ts";

/** The last event of a key in a range of the log. */
export type Last = {
  readonly event: EventRef & { readonly sequence: number };
  readonly partition: number;
};

type Positions = readonly number[];

const chainsOf = (chains: Chains, life: string) =>
  [...chains.all.values()]
    .filter((chain) => chain.life === life)
    .toSorted((a, b) => a.partition - b.partition);

/**
 * Returns the last event of each key from `since` to `until`. Without `since` that is from the
 * first event on. A key is in one partition of each epoch, and later epochs have later partitions.
 */
export function lastChanges(
  chains: Chains,
  life: string,
  { since = [], until }: { readonly since?: Positions | undefined; readonly until: Positions },
): Map<string, Last> {
  const last = new Map<string, Last>();
  for (const chain of chainsOf(chains, life)) {
    const { partition } = chain;
    const from = since[partition] ?? baseOf(chain);
    const to = until[partition] ?? baseOf(chain);
    for (const event of chain.events) {
      if (event.sequence >= from && event.sequence < to) last.set(event.key, { event, partition });
    }
  }
  return last;
}

/** Returns whether a later event of a key was durable by then. A list need not have the key. */
export const isOvertaken = (
  chains: Chains,
  life: string,
  { key, until, atMs }: { readonly key: string; readonly until: Positions; readonly atMs: number },
): boolean =>
  chainsOf(chains, life).some((chain) =>
    chain.events.some(
      (event) =>
        event.key === key &&
        event.sequence >= (until[chain.partition] ?? baseOf(chain)) &&
        chains.placesOf(event.n).some((place) => place.life === life && place.seenAtMs <= atMs),
    ),
  );

/** Returns whether a repair has given up events of a life. What it lists is then unknown. */
export const isRepaired = (chains: Chains, life: string): boolean =>
  chainsOf(chains, life).some(({ repairedTo }) => repairedTo > 1);
