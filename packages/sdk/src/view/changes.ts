/**
 * A change of a copy. `reset`: there were too many changes to list them, so read the entries again.
 */
export type ViewChange<Row> =
  | { readonly kind: "put"; readonly key: string; readonly row: Row; readonly sequence: number }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "reset" };

/**
 * The maximum number of changes that wait for a slow reader. Beyond it, the reader gets a `reset`
 * instead.
 */
const WAITING_MAX = 10_000;

/** Passes changes to any number of readers, each at its own pace. */
export function createChanges<Row>() {
  type Change = ViewChange<Row>;
  type Reader = { queue: Change[]; wake: (() => void) | undefined };
  const readers = new Set<Reader>();
  let isEnded = false;

  const emit = (changes: readonly Change[]): void => {
    for (const reader of readers) {
      const isFull = reader.queue.length + changes.length > WAITING_MAX;
      if (isFull) reader.queue = [{ kind: "reset" }];
      else reader.queue.push(...changes);
      reader.wake?.();
    }
  };
  const end = (): void => {
    isEnded = true;
    for (const { wake } of readers) wake?.();
  };

  /** The changes from now on. */
  function open(): AsyncIterableIterator<Change> {
    const reader: Reader = { queue: [], wake: undefined };
    readers.add(reader);
    return {
      async next(): Promise<IteratorResult<Change, undefined>> {
        for (;;) {
          const value = reader.queue.shift();
          if (value !== undefined) return { value, done: false };
          if (isEnded || !readers.has(reader)) return { value: undefined, done: true };
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        }
      },
      async return() {
        readers.delete(reader);
        reader.wake?.();
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
  return { open, emit, end };
}
