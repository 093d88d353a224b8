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
};
