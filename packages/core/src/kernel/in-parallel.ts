/**
 * Runs `work` for every item, at most `atOnce` at a time. After a failure it starts no new work. It
 * awaits the running work before it throws the first failure, so no work continues after the call.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = left.next(); !item.done && failures.length === 0; item = left.next()) {
      try {
        await work(item.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Returns the results of `work` in the order of the items, at most `atOnce` of them at a time. */
export async function mapInParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  await inParallel(items.entries(), atOnce, async ([index, item]) => {
    results.set(index, await work(item));
  });
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
