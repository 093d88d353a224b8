/**
 * Immutable objects in one bucket. An object is written once and never changed. All names of a
 * stream's life begin with `<tenant>/<stream>/<uid>/`.
 *
 * Every function repeats unclear answers by itself. It throws a LedgerError `archive-unavailable`
 * when the bucket gives no verdict within a few tries, and when it refuses access.
 */
export interface Objects {
  /**
   * Writes the object if no object has this name. The result is durable. "exists" means that an
   * object of this name is there: an earlier one, or one that an earlier attempt of this same call
   * wrote.
   */
  create(name: string, body: Uint8Array, options: CreateOptions): Promise<"created" | "exists">;
  /** Returns the size and the hash of an object. Undefined means that there is no such object. */
  head(name: string): Promise<ObjectHead | undefined>;
  /**
   * Returns the bytes from `from` to `to` - 1, or fewer when the object is shorter. Undefined means
   * that there is no such object.
   */
  read(name: string, from: number, to: number): Promise<Uint8Array | undefined>;
  /**
   * Returns up to `limit` names (1 to 1,000) with this prefix in the order of their UTF-8 bytes,
   * and whether more follow. `after` leaves out that name and all before it.
   */
  list(prefix: string, after: string | undefined, limit: number): Promise<ListedObjects>;
  /**
   * Removes objects. Names without an object are no error. Throws `ObjectsLocked` when a lock keeps
   * some of them; the others are removed.
   */
  remove(names: readonly string[]): Promise<void>;
  /** Returns a URL with which anyone can read the object for this many seconds. */
  signedUrl(name: string, seconds: number): Promise<string>;
}

export type CreateOptions = {
  readonly contentType: string;
  readonly contentEncoding?: string | undefined;
  /** Until then the object cannot be removed. Needs a bucket with object lock. */
  readonly lockedUntil?: Date | undefined;
  /**
   * "governance" (the default): an administrator with a special permission can remove the object.
   * "compliance": no account can, not even the root.
   */
  readonly lock?: "governance" | "compliance" | undefined;
};

export type ObjectHead = {
  readonly bytes: number;
  /** In lower-case hexadecimal digits. Undefined when the writer gave no hash. */
  readonly sha256: string | undefined;
};

export type ListedObjects = { readonly names: string[]; readonly more: boolean };

/** The error of `remove` for objects that a lock keeps. */
export class ObjectsLocked extends Error {
  override readonly name = "ObjectsLocked";
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    super(`A lock keeps ${names.length} object(s), such as ${names[0]}`);
    this.names = names;
  }
}
