/**
 * Stores at most `max` values by name. Setting a name makes it the newest. If there is then one too
 * many, the oldest is removed and passed to `onPushedOut`.
 */
export function createBounded<Value>(max: number, onPushedOut: (value: Value) => void = () => {}) {
  const entries = new Map<string, Value>();
  return {
    get: (name: string): Value | undefined => entries.get(name),

    set(name: string, value: Value): void {
      entries.delete(name);
      entries.set(name, value);
      if (entries.size <= max) return;
      for (const [oldest, pushedOut] of entries) {
        entries.delete(oldest);
        onPushedOut(pushedOut);
        break;
      }
    },

    delete: (name: string): boolean => entries.delete(name),

    /** Returns the names from the oldest to the newest. */
    names: (): string[] => [...entries.keys()],
  };
}
