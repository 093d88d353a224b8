/**
 * The archive of one partition, as its checkpoint records it. If the floor is above the watermark,
 * the events in between are gone.
 */
export type ArchiveProgress = {
  /** True while the stream is archived. The floor then stays at `archivedTo` or below. */
  readonly archiving: boolean;
  /** The first sequence in the archive. Nothing is missing from there to `archivedTo`. */
  readonly archivedFrom: number;
  /** The archive watermark: the first sequence that is not archived. */
  readonly archivedTo: number;
  readonly archived: ArchiveTally;
  /** Batches before this sequence are removed, or DynamoDB removes them. */
  readonly clearedTo: number;
  /** The next batch is removed no earlier than this, in milliseconds since 1970. */
  readonly clearAfter: number;
  /** When archiving stopped, in milliseconds since 1970. */
  readonly stoppedAt: number;
};

/** Totals as of the archive watermark. */
export type ArchiveTally = {
  /** When the watermark last moved, in milliseconds since 1970. */
  readonly at: number;
  /** Totals of the segments that are there. */
  readonly segments: number;
  readonly events: number;
  readonly storedBytes: number;
  /**
   * The approximate number of bytes that the checkpoint had counted up to the watermark. It is
   * never too high.
   */
  readonly bytesBefore: number;
  /** The chain hash of the last segment, and an empty text before the first one. */
  readonly chain: string;
};

export type Archived = Partial<ArchiveProgress> & { readonly floor: number };

/** Returns the archive of a partition that begins with the first sequence `from`. */
export const beginArchive = (from: number): Partial<ArchiveProgress> => ({
  archiving: true,
  archivedFrom: from,
  archivedTo: from,
  archived: { at: 0, segments: 0, events: 0, storedBytes: 0, bytesBefore: 0, chain: "" },
  clearedTo: from,
});

/**
 * Returns the archive of a partition when archiving begins, or begins again. Archived events stay
 * readable if nothing after them is gone. Otherwise the archive begins with the events that the
 * table still keeps.
 */
export function resumeArchive(partition: Archived): Partial<ArchiveProgress> {
  const { floor, archivedFrom = floor, archivedTo = 0, archived, clearedTo = floor } = partition;
  if (archived === undefined) return { ...beginArchive(floor), clearedTo };
  if (archivedTo >= floor) return { archiving: true, archivedFrom, archivedTo, clearedTo };
  const progress = { archivedFrom: floor, archivedTo: floor, archived: { ...archived, at: 0 } };
  return { archiving: true, ...progress, clearedTo };
}

/** Returns the first readable sequence: the floor, or the start of an archive that reaches it. */
export const earliestOf = ({ floor, archivedFrom = floor, archivedTo = 0 }: Archived): number =>
  archivedTo >= floor ? Math.min(floor, archivedFrom) : floor;

/** Returns how far back a reader can go from the position before `next`. */
export const earliestBefore = (archived: Archived, next: number): number =>
  next <= archived.floor && isArchived(archived, next - 1)
    ? (archived.archivedFrom ?? 1)
    : earliestOf(archived);

/** Returns whether a sequence below the floor can be read in the archive. */
export const isArchived = (
  { archivedFrom = Infinity, archivedTo = 0 }: Archived,
  sequence: number,
): boolean => sequence >= archivedFrom && sequence < archivedTo;
