/**
 * Runs `work` for every item, at most `atOnce` at a time. After a failure nothing new is started;
 * what runs is awaited before the first failure is thrown, so that no work goes on after the call.
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
