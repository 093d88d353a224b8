/** Counts by name, to assert that what a test claims to cover really happened. */
export type Tally = {
  add(name: string, amount?: number): void;
  /** Returns a count. It is 0 for anything that never happened. */
  get(name: string): number;
  /** Returns all counts, sorted by name. */
  all(): Record<string, number>;
};

export const createTally = (): Tally => {
  const counts = new Map<string, number>();
  const get = (name: string): number => counts.get(name) ?? 0;
  return {
    get,
    add: (name, amount = 1) => {
      counts.set(name, get(name) + amount);
    },
    all: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};
