import { signalling } from "../http/clock.ts";

/**
 * A change of a copy. `reset` means that there were too many changes to list them, so the entries
 * must be read again.
 */
export type ViewChange<Row> =
  | { readonly kind: "put"; readonly key: string; readonly row: Row; readonly sequence: number }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "reset" };

/**
 * The maximum number of changes that wait for a slow reader. Above it, the reader gets a `reset`
 * instead.
 */
const WAITING_MAX = 10_000;

/** Passes changes to any number of readers, each at its own pace. */
export function createChanges<Row>() {
  type Change = ViewChange<Row>;
  const queues = new Set<Change[]>();
  const more = signalling();
  let isEnded = false;

  const emit = (changes: readonly Change[]): void => {
    for (const queue of queues) {
      if (queue.length + changes.length <= WAITING_MAX) queue.push(...changes);
      else queue.splice(0, queue.length, { kind: "reset" });
    }
    more.signal();
  };
  const end = (): void => {
    isEnded = true;
    more.signal();
  };

  /** Returns the changes from now on. */
  function open(): AsyncIterableIterator<Change> {
    const queue: Change[] = [];
    queues.add(queue);
    return {
      async next(): Promise<IteratorResult<Change, undefined>> {
        while (queues.has(queue)) {
          const value = queue.shift();
          if (value !== undefined) return { value, done: false };
          if (isEnded) break;
          await more.promise();
        }
        return { value: undefined, done: true };
      },
      return() {
        queues.delete(queue);
        more.signal();
        return this.next();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
  return { open, emit, end };
}
