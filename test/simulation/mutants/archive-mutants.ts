import type { Mutant } from "./mutants.ts";

/** The rules of the archive, each with a mutant. The scenarios of the archive notice them. */
const RULES: readonly Omit<Mutant, "by">[] = [
  {
    rule: "archiving begins with the stream",
    file: "model/archive.ts",
    from: "archiving: true,\n  archivedFrom: from,",
    to: "archivedFrom: from,",
  },
  {
    rule: "a floor that was computed before archiving began is not written",
    file: "table/checkpoint.entity.ts",
    from: "gte(row.archivedTo, to.floor) : notExists(row.archiving);",
    to: "gte(row.archivedTo, to.floor) : gte(row.next, next) || notExists(row.archiving);",
  },
  {
    rule: "batches of an archived stream have no time to live",
    file: "table/batch.ts",
    from: "archived ? { keptUntil: until } : { expiresAt: until };",
    to: "archived && until < 0 ? { keptUntil: until } : { expiresAt: until };",
  },
  {
    rule: "batches are removed below the floor only",
    file: "archive/clear-rows.ts",
    from: "batch.first + batch.count <= clearBound(checkpoint) && dueAt(batch) <= nowMs;",
    to: "batch.first + batch.count <= checkpoint.next && dueAt(batch) <= nowMs;",
  },
  {
    rule: "batches stay for as long as publishes look back for them",
    file: "archive/clear-rows.ts",
    from: "publishedAt + STORED_MS + CLOCKS_APART_MS;",
    to: "publishedAt + STORED_MS * 0 + CLOCKS_APART_MS;",
  },
  {
    rule: "below the floor a reader asks the archive",
    file: "log/read/read-run.ts",
    from: "if (next < floor && !isArchived(chain, next)) throw retentionPassed(chain);",
    to: "if (next < floor) throw retentionPassed(chain);",
  },
  {
    rule: "the earliest event is that of an archive which reaches the floor",
    file: "model/archive.ts",
    from: "archivedTo >= floor ? Math.min(floor, archivedFrom) : floor;",
    to: "archivedTo >= floor ? floor : floor;",
  },
  {
    rule: "an archive with a gap after it does not begin the stream",
    file: "model/archive.ts",
    from: "archivedTo >= floor ? Math.min(floor, archivedFrom) : floor;",
    to: "archivedTo >= 0 ? Math.min(floor, archivedFrom) : floor;",
  },
  {
    rule: "a page of the archive begins with the position and not with its block",
    file: "log/cold/cold-read.ts",
    from: "if (event.sequence < next) continue;",
    to: "if (event.sequence < 0) continue;",
  },
  {
    rule: "a time is looked up in the archive too",
    file: "log/read/seek.ts",
    from: "await seekCold(deps, { ...checkpoint, life, partition }, timeMs);",
    to: "await seekCold(deps, { ...checkpoint, life, partition }, Infinity);",
  },
  {
    rule: "a small segment is written once an hour",
    file: "archive/segment-plan.ts",
    from: "Math.abs(nowMs - at) >= TAIL_EVERY_MS;",
    to: "Math.abs(nowMs - at) >= 0 * TAIL_EVERY_MS;",
  },
  {
    rule: "archiving that begins again after a gap begins at the floor",
    file: "model/archive.ts",
    from: "if (archivedTo >= floor) return",
    to: "if (archivedTo >= 0) return",
  },
  {
    rule: "segments go when their days are over",
    file: "archive/expire.ts",
    from: "segments.filter(({ lastAt }) => lastAt < keptSince);",
    to: "segments.filter(({ lastAt }) => lastAt < keptSince - keptSince);",
  },
  {
    rule: "the objects of an ended life are removed",
    file: "archive/remove-archive.ts",
    from: "if (removed > 0) return { rows: removed, more: true };",
    to: "if (removed > 0) return { rows: removed, more: false };",
  },
  {
    rule: "batches without a time to live are removed after archiving has stopped",
    file: "archive/clear-rows.ts",
    from: "(clearedTo < floor || stoppedAt !== undefined) && nowMs >= clearAfter;",
    to: "clearedTo < floor && stoppedAt === undefined && nowMs >= clearAfter;",
  },
  {
    rule: "a late change does not make a lock weaker",
    file: "table/stream.entity.ts",
    from: 'ne(row.archiveLock, "compliance")',
    to: 'ne(row.archiveLock, "governance")',
  },
  {
    rule: "a late change does not make a lock shorter",
    file: "table/stream.entity.ts",
    from: "lte(row.archiveKeptDays, archiveDays)",
    to: "lte(row.archiveKeptDays, archiveDays + 36_500)",
  },
  {
    rule: "an archiver locks what it writes after the change",
    file: "archive/archiver.ts",
    from: "lockOf(present, segment, deps.clock.now())",
    to: "lockOf(stream, segment, deps.clock.now())",
  },
  {
    rule: "a removal waits for the last lock",
    file: "compaction/removal.ts",
    from: "locked ||= page.isLocked ?? false;",
    to: "locked ||= page.isLocked === undefined && false;",
  },
  {
    rule: "archiving is done when compaction is",
    file: "operations/archiving.ts",
    from: "done: compacted.done && receipt.done",
    to: "done: receipt.done",
  },
];

export const ofArchive: readonly Mutant[] = RULES.map((mutant) => ({ ...mutant, by: "archive" }));
