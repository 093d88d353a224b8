/**
 * A position in one partition. `next` is the first sequence that is not covered. `batch` is the
 * first sequence of the stored batch that contains it (`next` itself at a batch's edge). With the
 * batch, every read is one plain range query.
 */
export type Position = { readonly batch: number; readonly next: number };

/** Returns the position at a batch's edge: before the first event, at an end, or at a floor. */
export const edgeAt = (next: number): Position => ({ batch: next, next });
