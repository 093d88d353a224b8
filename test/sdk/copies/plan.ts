import { fnv1a } from "../../simulation/dynamodb/seeded-random.ts";

/**
 * The events to publish. They are the same in every process, so nothing has to be stored besides
 * the log.
 */
export type Plan = { readonly seed: number; readonly events: number; readonly keys: number };

export type Planned = { readonly key: string; readonly data: { readonly n: number } | null };

export const STREAM = "orders";
export const BATCH = 100;

/** Returns event `n`. Every tenth event deletes its key. */
export function planned({ seed, keys }: Plan, n: number): Planned {
  const key = `k${fnv1a(`${seed} ${n}`) % keys}`;
  return { key, data: fnv1a(`${n} ${seed}`) % 10 === 0 ? null : { n } };
}

/** Returns the state of each key after all events. */
export function finalState(plan: Plan): ReadonlyMap<string, number> {
  const state = new Map<string, number>();
  for (let n = 0; n < plan.events; n++) {
    const { key, data } = planned(plan, n);
    if (data === null) state.delete(key);
    else state.set(key, data.n);
  }
  return state;
}
