/** The facts about an object besides its bytes. They are stored in front of the bytes. */
export type ObjectFacts = {
  readonly key: string;
  readonly bytes: number;
  /** A new one for each write. */
  readonly version: string;
  /** The MD5 of the bytes in hexadecimal digits, in quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** In base64, by the name of the header that carried it. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Headers that a read returns as the writer sent them, such as `content-encoding`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Until then the object cannot be removed or replaced. */
  readonly lock?: { readonly mode: string; readonly untilMs: number };
};

/** Where objects are kept. Every change is durable before it resolves. */
export type ObjectStore = {
  get(key: string): ObjectFacts | undefined;
  /** Returns the facts of all objects in the order of the bytes of their keys. */
  sorted(): readonly ObjectFacts[];
  /**
   * Writes an object, or replaces it. `check` runs just before, while nothing else changes the
   * object, and throws to refuse the write.
   */
  put(facts: ObjectFacts, body: Uint8Array, check: () => void): Promise<void>;
  /** Returns the bytes from `from` to `to` - 1. */
  read(facts: ObjectFacts, from: number, to: number): Promise<Uint8Array | undefined>;
  remove(key: string, check: () => void): Promise<void>;
};

/** Text whose order by UTF-16 units is the order of the key's UTF-8 bytes. */
const inBytes = (key: string): string => Buffer.from(key).toString("latin1");

/** The facts of all objects by key, sorted when asked. */
export function createObjectIndex(facts: Iterable<ObjectFacts> = []) {
  const byKey = new Map([...facts].map((each) => [each.key, each]));
  let sorted: ObjectFacts[] | undefined;
  return {
    get: (key: string) => byKey.get(key),
    set: (each: ObjectFacts) => {
      byKey.set(each.key, each);
      sorted = undefined;
    },
    delete: (key: string) => {
      byKey.delete(key);
      sorted = undefined;
    },
    sorted: (): readonly ObjectFacts[] => {
      sorted ??= [...byKey.values()]
        .map((each) => ({ order: inBytes(each.key), each }))
        .sort((a, b) => (a.order < b.order ? -1 : 1))
        .map(({ each }) => each);
      return sorted;
    },
  };
}

/** Objects in memory. They are lost when the process ends. */
export function keepInMemory(): ObjectStore {
  const index = createObjectIndex();
  const bodies = new Map<string, Uint8Array>();
  return {
    get: index.get,
    sorted: index.sorted,
    put: async (facts, body, check) => {
      check();
      bodies.set(facts.key, body);
      index.set(facts);
    },
    read: async ({ key }, from, to) => (bodies.get(key) ?? new Uint8Array()).subarray(from, to),
    remove: async (key, check) => {
      check();
      bodies.delete(key);
      index.delete(key);
    },
  };
}
