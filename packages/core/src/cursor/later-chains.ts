import { chainCount, type Partitioned, withLaterChains } from "../model/epochs.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import type { CursorContent } from "./cursor-content.ts";

/**
 * Returns a cursor from before later epochs of its stream as one of all epochs: it has read nothing
 * of the later ones. A worker's cursor has no position outside its share, and a cursor with a time
 * has that time in every partition that it does not name.
 */
export function inAllEpochs(stream: Partitioned, cursor: CursorContent): CursorContent {
  const count = chainCount(stream);
  const { positions, since, tokens, releaseCounts, bootstrap } = cursor;
  if (positions.length >= count) return cursor;
  const later = Array.from({ length: count - positions.length }, () => undefined);
  const hasPlace = since === undefined && positions.every(isKnown);
  return {
    ...cursor,
    positions: hasPlace ? withLaterChains(stream, positions) : positionsOf(cursor, later),
    ...(tokens === undefined ? {} : { tokens: [...tokens, ...later] }),
    ...(releaseCounts === undefined
      ? {}
      : { releaseCounts: [...releaseCounts, ...later.map(() => 0)] }),
    ...(bootstrap === undefined ? {} : { bootstrap: withLaterStarts(stream, bootstrap) }),
  };
}

const isKnown = (position: unknown): boolean => position !== undefined;

/** A cursor of the stream itself stays as it is: its missing positions are looked up. */
const positionsOf = (
  { subscription, positions }: CursorContent,
  later: readonly undefined[],
): CursorContent["positions"] =>
  subscription === undefined ? positions : [...positions, ...later];
