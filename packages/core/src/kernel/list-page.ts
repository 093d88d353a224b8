import { LIMITS } from "@eventledger/protocol";

/** The parameters of a list. With `stats` its entries include their numbers. */
export type StatsPage = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly stats?: boolean;
};

/**
 * Returns the first items that fit into an answer. It returns at least one, so that every page of a
 * list makes progress. One item always fits.
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

/**
 * Returns the first items whose total number of partition positions is within the limit of an
 * answer.
 */
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
 * Returns how many entries with this number of partitions are measured concurrently. A client has
 * 128 connections, and a request that waits for one counts as late.
 */
export const measuredTogether = (partitions: number): number =>
  Math.max(1, Math.floor(POSITIONS_TOGETHER / partitions));

const POSITIONS_TOGETHER = 16;
