/**
 * A parked key in one partition of a subscription. Its events wait in the log, in their order, from
 * `from` on. All other events of the partition flow.
 */
export type ParkedKey = {
  /** The id of this state of the key's parking. Every change except progress gives it a new one. */
  readonly id: number;
  /** The ids of its previous states since the key was free. */
  readonly was?: readonly number[];
  readonly key: string;
  /** The first withheld event. */
  readonly from: number;
  /** The beginning of its queue: the first event that is still to be delivered, and its batch. */
  readonly next: number;
  readonly batch: number;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly parkedAt: number;
  /** True while the queue is being delivered. */
  readonly retrying: boolean;
  /** How often the queue's beginning was delivered, and the size of the last of those pages. */
  readonly delivered?: Delivered;
};

/** The last delivery from one place: the number of deliveries so far, and the size of its page. */
export type Delivered = { readonly times: number; readonly limit: number };

/** Where an uncommitted page ended, and how often. */
export type PageEnd = readonly [until: number, times: number];

/**
 * An event that a client skipped before the committed offset passed it. Polls leave it out until
 * the offset passes it, and deliver later events of its key.
 */
export type SkippedEvent = Pick<ParkedKey, "id" | "key" | "reason" | "parkedAt"> & {
  readonly sequence: number;
};

/** The parked keys in one partition of a subscription. */
export type Parking = {
  /** Grows with every change. */
  readonly revision: number;
  /**
   * Grows whenever a key is no longer parked and its events are delivered again. Earlier pages may
   * have withheld those events.
   */
  readonly releaseCount: number;
  readonly keys: readonly ParkedKey[];
  readonly skipped: readonly SkippedEvent[];
};

export const nothingParked: Parking = { revision: 0, releaseCount: 0, keys: [], skipped: [] };

/**
 * Returns the skipped events that must still be left out: by the log from `next` on, or by the
 * queue of a key that was parked again.
 */
export const stillSkipped = (
  { keys, skipped }: Pick<Parking, "keys" | "skipped">,
  next: number,
): readonly SkippedEvent[] =>
  skipped.filter(
    ({ key, sequence }) =>
      sequence >= next || keys.some((each) => each.key === key && each.next <= sequence),
  );
