import { createBounded } from "./bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "./clock.ts";

/**
 * A read of the table: the time when it began, and its number in the order of all actions on one
 * memory.
 */
export type Look = { readonly stamp: Stamp; readonly order: number };

/** Returns a look as if it had begun `ms` earlier, because it may show an older state. */
export const earlier = ({ stamp: { wallMs, monotonicMs }, order }: Look, ms: number): Look => ({
  stamp: { wallMs: wallMs - ms, monotonicMs: monotonicMs - ms },
  order,
});

type Entry<Value> = { readonly order: number; readonly stamp: Stamp; readonly value?: Value };

/**
 * Remembers values of the table by name, for `ttlMs` from the start of their read, which is called
 * a look. A look that began earlier may end later. It never replaces the result of a later look,
 * nor a change by this process since it began.
 */
export function createMemory<Value>(
  clock: Clock,
  { ttlMs, entriesMax = 10_000 }: { readonly ttlMs: number; readonly entriesMax?: number },
) {
  let actions = 0;
  /** The highest order of the evicted entries. Looks that began before it are not trusted. */
  let forgottenOrder = 0;
  const entries = createBounded<Entry<Value>>(entriesMax, ({ order }) => {
    forgottenOrder = Math.max(forgottenOrder, order);
  });

  /** Starts a look, before the table is read. */
  const look = (): Look => ({ stamp: takeStamp(clock), order: ++actions });

  /** Returns a value that is younger than `maxMs`. */
  const recall = (name: string, maxMs = ttlMs): Value | undefined => {
    const known = entries.get(name);
    return known !== undefined && ageMs(clock, known.stamp) < maxMs ? known.value : undefined;
  };

  /** Returns whether a look began after everything that is known about a name. */
  const isNewest = (name: string, { order }: Look): boolean =>
    order > (entries.get(name)?.order ?? forgottenOrder);

  /** Records the result of a look, unless something later is known. */
  function learn(name: string, of: Look, value: Value): void {
    if (isNewest(name, of)) entries.set(name, { ...of, value });
  }

  /**
   * Records a change by this process. Looks that began earlier no longer count. `value` is the
   * current state, based on the look at the start of the change. It is remembered unless something
   * newer has become known in the meantime.
   */
  function change(name: string, known?: { readonly of: Look; readonly value: Value }): void {
    const value =
      known !== undefined && isNewest(name, known.of) ? { value: known.value } : undefined;
    entries.set(name, { stamp: known?.of.stamp ?? takeStamp(clock), order: ++actions, ...value });
  }

  /** Records a change for all selected names, and for names of which nothing is remembered. */
  function changeAll(isMeant: (name: string) => boolean): void {
    for (const name of entries.names().filter(isMeant)) change(name);
    forgottenOrder = actions;
  }

  return {
    look,
    recall,
    isNewest,
    learn,
    change,
    changeAll,
    /** Returns a value, however old it is. */
    latest: (name: string): Value | undefined => entries.get(name)?.value,
  };
}
