/**
 * A position in one partition: `next` is the first sequence that is not covered, `batch` the first
 * sequence of the stored batch that holds it (`next` itself at a batch's edge). Knowing the batch
 * makes every read one plain range query.
 */
export type Position = { readonly batch: number; readonly next: number };

/** At a batch's edge: before the first event, at an end, at a floor. */
export const edgeAt = (next: number): Position => ({ batch: next, next });
