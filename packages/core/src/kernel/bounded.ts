/**
 * Values by name, of `max` names at most: setting a name makes it the newest, and the oldest goes
 * when there is one too many. `onPushedOut` gets its value.
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

    /** From the oldest to the newest. */
    names: (): string[] => [...entries.keys()],
  };
}
