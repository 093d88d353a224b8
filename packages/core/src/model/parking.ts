/**
 * A key that is set aside in one partition of a subscription. Its events wait in the log, in their
 * order, from `from` on; everything else of the partition flows.
 */
export type ParkedKey = {
  /**
   * Which state of the key's parking this is; whatever changes it but progress gives it a new one.
   */
  readonly id: number;
  /** The last states before it, since the key was free. */
  readonly was?: readonly number[];
  readonly key: string;
  /** The first event that is withheld. */
  readonly from: number;
  /** Where its queue begins: the first event that is still to be delivered, and its batch. */
  readonly next: number;
  readonly batch: number;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly parkedAt: number;
  /** True while the queue is being delivered. */
  readonly retrying: boolean;
  /** How often the queue's beginning was delivered, and with how many events at most. */
  readonly delivered?: Delivered;
};

/** The last delivery from one place: how often by now, and how many events its page could hold. */
export type Delivered = { readonly times: number; readonly limit: number };

/**
 * An event that a client skipped before the committed offset passed it. Polls leave it out until
 * the offset passes it, and deliver later events of its key.
 */
export type SkippedEvent = Pick<ParkedKey, "id" | "key" | "reason" | "parkedAt"> & {
  readonly sequence: number;
};

/** What is parked in one partition of a subscription. */
export type Parking = {
  /** Grows with every change. */
  readonly revision: number;
  /** Grows whenever events of a key flow again: pages from before may have withheld them. */
  readonly freed: number;
  readonly keys: readonly ParkedKey[];
  readonly skipped: readonly SkippedEvent[];
};

export const nothingParked: Parking = { revision: 0, freed: 0, keys: [], skipped: [] };

/**
 * Skipped events that still have to be left out: by the log from `next` on, or by the queue of a
 * key that was parked again.
 */
export const stillSkipped = (
  { keys, skipped }: Pick<Parking, "keys" | "skipped">,
  next: number,
): readonly SkippedEvent[] =>
  skipped.filter(
    ({ key, sequence }) =>
      sequence >= next || keys.some((each) => each.key === key && each.next <= sequence),
  );
