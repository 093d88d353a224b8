import type { CreateStream, PatchStream } from "@eventledger/protocol";
import { invalidRequest } from "../kernel/error.ts";
import { DAY_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import type { StreamRow } from "../table/stream.entity.ts";

/** The means of the server for archives. */
export type ArchiveMeans = {
  /** Whether there is a bucket. */
  readonly canArchive: boolean;
  /** Whether that bucket has object lock. */
  readonly canLock: boolean;
};

type Wanted = Pick<PatchStream, "archiveDays" | "archiveLock">;
type Archived = Pick<StreamRow, "archiveDays" | "archiveKeptDays" | "archiveLock">;

/**
 * Refuses an archive or a lock for which the server has no suitable bucket. Throws
 * `invalid-request`.
 */
export function assertMayArchive(
  { archiveDays, archiveLock }: Wanted,
  { canArchive, canLock }: ArchiveMeans,
): void {
  if (archiveLock !== undefined && !canLock) {
    throw invalidRequest(
      "/archiveLock",
      "needs a bucket with object lock, and this server is set up without one",
    );
  }
  if (archiveDays == null || canArchive) return;
  throw invalidRequest("/archiveDays", "needs a bucket, and this server is set up without one");
}

/**
 * Refuses a lock without an archive, because a lock lasts for the days of the archive. Throws
 * `invalid-request`.
 */
export function assertLockHasDays({
  archiveDays,
  archiveLock,
}: Pick<CreateStream, "archiveDays" | "archiveLock">): void {
  if (archiveLock === undefined || archiveDays !== null) return;
  throw invalidRequest("/archiveLock", "must be sent together with archiveDays");
}

/**
 * Refuses a change that would make a lock weaker or shorter, because the locks of existing objects
 * cannot be reduced. Throws `invalid-request`.
 */
export function assertLockStays(stream: Archived, { archiveDays, archiveLock }: Wanted): void {
  const days = archiveDays === undefined ? stream.archiveDays : archiveDays;
  assertLockHasDays({ archiveDays: days, archiveLock });
  if (stream.archiveLock === undefined) return;
  if (stream.archiveLock === "compliance" && archiveLock === "governance") {
    throw invalidRequest("/archiveLock", "cannot be weakened from compliance to governance");
  }
  const { archiveKeptDays = 0 } = stream;
  if (archiveDays != null && archiveDays < archiveKeptDays) {
    throw invalidRequest(
      "/archiveDays",
      `cannot be less than ${archiveKeptDays}, because the objects of the archive are locked`,
    );
  }
}

/** `lockedUntil` is when the last lock of the archive ends, if it has locks. */
export type Ended = { readonly lockedUntil?: number };

/**
 * Returns when all locks have ended if the stream ends now. No event is published later, but the
 * clock that dated the last one may have been ahead.
 */
export function lockedUntilOf(
  { archiveLock, archiveKeptDays = 0 }: Archived,
  nowMs: number,
): Ended {
  if (archiveLock === undefined) return {};
  return { lockedUntil: nowMs + archiveKeptDays * DAY_MS + CLOCKS_APART_MS };
}
