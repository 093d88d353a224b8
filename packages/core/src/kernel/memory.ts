import { createBounded } from "./bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "./clock.ts";

/** A look at the table: when it began, and its place among all that happens to one memory. */
export type Look = { readonly stamp: Stamp; readonly turn: number };

type Entry<Value> = { readonly turn: number; readonly stamp: Stamp; readonly value?: Value };

/**
 * What a process remembers of the table by name, for `ttlMs` from when it looked. Looks take their
 * time, so one that began earlier may arrive later: it never replaces what a later look found, nor
 * what this process has changed since it began.
 */
export function createMemory<Value>(
  clock: Clock,
  { ttlMs, entriesMax = 10_000 }: { readonly ttlMs: number; readonly entriesMax?: number },
) {
  let turns = 0;
  /** Of entries that were pushed out: looks that began before are believed no more. */
  let forgottenTurn = 0;
  const entries = createBounded<Entry<Value>>(entriesMax, ({ turn }) => {
    forgottenTurn = Math.max(forgottenTurn, turn);
  });

  /** To be taken before the table is asked. */
  const look = (): Look => ({ stamp: takeStamp(clock), turn: ++turns });

  const recall = (name: string): Value | undefined => {
    const known = entries.get(name);
    return known !== undefined && ageMs(clock, known.stamp) < ttlMs ? known.value : undefined;
  };

  /** Whether a look began after all that is known of a name. */
  const isNewest = (name: string, { turn }: Look): boolean =>
    turn > (entries.get(name)?.turn ?? forgottenTurn);

  /** What a look has found, unless something later is known. */
  function learn(name: string, of: Look, value: Value): void {
    if (isNewest(name, of)) entries.set(name, { ...of, value });
  }

  /**
   * This process has changed what is remembered: looks that began before count for nothing. `value`
   * is the present state as far as the look at the start of the change knows it; it is remembered
   * unless something else has become known meanwhile.
   */
  function change(name: string, known?: { readonly of: Look; readonly value: Value }): void {
    const value =
      known !== undefined && isNewest(name, known.of) ? { value: known.value } : undefined;
    entries.set(name, { stamp: known?.of.stamp ?? takeStamp(clock), turn: ++turns, ...value });
  }

  /** The same for all names that are meant, and for those of which nothing is remembered. */
  function changeAll(isMeant: (name: string) => boolean): void {
    for (const name of entries.names().filter(isMeant)) change(name);
    forgottenTurn = turns;
  }

  return {
    look,
    recall,
    isNewest,
    learn,
    change,
    changeAll,
    /** Whether anything is remembered, however old. */
    knows: (name: string): boolean => entries.get(name)?.value !== undefined,
  };
}
