/** What is known about the lags of partitions. A lag has numbers, such as events and seconds. */
export type Lagging<Lag extends Readonly<Record<string, number>>> = {
  /** Notes the lag of a partition. Returns the highest of each number over all partitions. */
  note(name: string, lag: Lag): Lag;
};

/**
 * Remembers the lags of the last `believedMs`. A lag that was seen longer ago does not count,
 * because another process may have caught up.
 */
export function createLagging<Lag extends Readonly<Record<string, number>>>(
  now: () => number,
  believedMs: number,
): Lagging<Lag> {
  const lagging = new Map<string, { readonly lag: Lag; readonly seenAt: number }>();
  return {
    note(name, lag) {
      const seenAt = now();
      lagging.set(name, { lag, seenAt });
      for (const [of, seen] of lagging) {
        if (seenAt - seen.seenAt > believedMs) lagging.delete(of);
      }
      const all = [...lagging.values()].map((seen) => seen.lag);
      const highest = Object.keys(lag).map((number) => [
        number,
        Math.max(...all.map((each) => each[number] ?? 0)),
      ]);
      if (Object.values(lag).every((number) => number === 0)) lagging.delete(name);
      return Object.fromEntries(highest) as Lag;
    },
  };
}
