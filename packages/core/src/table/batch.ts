/**
 * One stored record batch: `count` events from `first` on, write-once. A `seal` has no events and
 * marks the end of the stream's life. A `turn` has no events either. It ends the chain, and the
 * stream goes on in the partitions of the next epoch. A `jump` uses up `count` numbers, which a
 * restore may have lost. Times are milliseconds since 1970, `expiresAt` and `keptUntil` seconds.
 */
export type Batch = {
  readonly first: number;
  readonly count: number;
  /** 128 random bits that name the writer, to distinguish a lost answer from a lost race. */
  readonly batchId: Uint8Array;
  readonly publishedAt: number;
  readonly kind?: "seal" | "turn" | "jump";
  readonly rawBytes: number;
  /** The codec's tag and the packed events. */
  readonly payload: Uint8Array;
  /** When DynamoDB may remove the row. Absent for a batch of an archived stream. */
  readonly expiresAt?: number;
  /**
   * The place of `expiresAt` in a batch of an archived stream. DynamoDB does not act on it, so the
   * row stays until the archiver removes it.
   */
  readonly keptUntil?: number;
  /** The last ticket that was served, if writers take tickets. It decides nothing. */
  readonly ticket?: number;
  /** The number of consecutive free tickets up to that one. It decides nothing. */
  readonly free?: number;
  /** For each request in it with an idempotency key: see `Claim`. */
  readonly claims?: readonly ClaimedRun[];
};

/** The place and times of a batch, without its events, which may be large. */
export type BatchOutline = Pick<Batch, (typeof OUTLINE)[number]>;

const OUTLINE = [
  "first",
  "count",
  "publishedAt",
  "kind",
  "expiresAt",
  "keptUntil",
  "ticket",
  "free",
] as const;

/** Returns when a batch's time is over, in seconds since 1970. Undefined for a seal or turn. */
export const lastsUntil = ({
  expiresAt,
  keptUntil,
}: Pick<Batch, "expiresAt" | "keptUntil">): number | undefined => expiresAt ?? keptUntil;

/** Returns whether a batch is the last of its chain. Nothing can be written after it. */
export const isLast = ({ kind }: Pick<Batch, "kind">): boolean =>
  kind === "seal" || kind === "turn";

/** Returns how a batch states when its time is over. */
export const lasting = (
  until: number,
  { archived }: { readonly archived: boolean },
): Pick<Batch, "expiresAt" | "keptUntil"> =>
  archived ? { keptUntil: until } : { expiresAt: until };

/**
 * The events of a batch that settle a claim: its id, the index of the first event in the batch, and
 * their count.
 */
export type ClaimedRun = readonly [id: Uint8Array, at: number, count: number];
