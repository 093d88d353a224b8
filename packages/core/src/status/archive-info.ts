import type { Archive } from "@eventledger/protocol";
import type { EndPlace } from "../log/end.ts";
import { type ArchiveTally, earliestOf } from "../model/archive.ts";
import { lostBetween } from "../model/restored.ts";

/** What a partition adds to the description of an archive. Times are milliseconds since 1970. */
export type ArchivePart = {
  readonly tally: ArchiveTally;
  readonly earliest: number;
  readonly lag: number;
  readonly pendingAt: number;
};

/**
 * Describes the archive of one partition. Undefined for one that never had an archive. `timeFrom`
 * returns the time of the first event at a sequence or after it.
 */
export async function describeArchive(
  { next, checkpoint }: Pick<EndPlace, "next" | "checkpoint">,
  timeFrom: (sequence: number) => Promise<number>,
): Promise<ArchivePart | undefined> {
  const { archived: tally, archivedTo = next, lost } = checkpoint;
  if (tally === undefined) return undefined;
  const lag = Math.max(0, next - archivedTo - lostBetween(lost, archivedTo, next));
  const pendingAt = lag === 0 ? Infinity : await timeFrom(archivedTo);
  return { tally, earliest: earliestOf(checkpoint), lag, pendingAt };
}

/** Returns the archive of a stream, or undefined if no partition has one. Pure. */
export function sumArchive(
  parts: readonly (ArchivePart | undefined)[],
  nowMs: number,
): Archive | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (known.length === 0) return undefined;
  const sum = (of: (part: ArchivePart) => number) =>
    known.reduce((total, part) => total + of(part), 0);
  const pending = Math.min(...known.map(({ pendingAt }) => pendingAt));
  const [only] = parts.length === 1 ? known : [];
  return {
    ...(only === undefined ? {} : { earliestSequence: only.earliest }),
    segments: sum(({ tally }) => tally.segments),
    events: sum(({ tally }) => tally.events),
    bytes: sum(({ tally }) => tally.storedBytes),
    lag: {
      events: sum(({ lag }) => lag),
      seconds: pending === Infinity ? 0 : Math.max(0, nowMs - pending) / 1_000,
    },
  };
}
