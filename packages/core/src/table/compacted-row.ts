/**
 * The latest event of one key. `payload` is a packed batch of that one event. A tombstone is kept
 * as `deleted`, without a payload, until `expiresAt` (seconds since 1970).
 */
export type CompactedRow = {
  readonly key: string;
  readonly bucket: number;
  readonly partition: number;
  readonly sequence: number;
  readonly publishedAt: number;
  readonly deleted?: true;
  readonly payload?: Uint8Array;
  readonly rawBytes: number;
  readonly expiresAt?: number;
  /**
   * The size of the version that the row had at the checkpoint before this one was put; 0 if there
   * was none. Absent in rows of earlier versions of the product.
   */
  readonly formerBytes?: number;
  /** The versions after that one at which a checkpoint may have stopped, in order. */
  readonly between?: readonly Version[];
};

/** A version of a key: its sequence, and its bytes as in `rawBytes`. A tombstone has none. */
export type Version = readonly [sequence: number, rawBytes: number];
