import { LIMITS } from "@eventledger/protocol";

/** What is asked of a list; with `stats` its entries carry their numbers. */
export type StatsPage = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly stats?: boolean;
};

/**
 * The first of these items that an answer can hold. Always one at least: none is as large as an
 * answer, and a list must get on.
 */
export function fittingItems<T>(
  items: readonly T[],
  bytesMax: number = LIMITS.pageBytesMax,
): readonly T[] {
  let bytes = 0;
  const over = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > bytesMax;
  });
  return over === -1 ? items : items.slice(0, Math.max(1, over));
}

/** The first of these items that have as many positions in partitions as one answer looks at. */
export function withinPositions<T>(
  items: readonly T[],
  positionsOf: (item: T) => number,
  positionsMax: number = LIMITS.streamPositionsMax,
): readonly T[] {
  let positions = 0;
  const over = items.findIndex((item) => {
    positions += positionsOf(item);
    return positions > positionsMax;
  });
  return over === -1 ? items : items.slice(0, Math.max(1, over));
}

/**
 * How many entries of so many partitions are measured at a time. A client has 50 connections, and a
 * request that waits for one counts as late.
 */
export const measuredTogether = (partitions: number): number =>
  Math.max(1, Math.floor(POSITIONS_TOGETHER / partitions));

const POSITIONS_TOGETHER = 16;
