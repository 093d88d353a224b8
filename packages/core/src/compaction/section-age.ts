import { ageMs, type Clock, type Stamp } from "../kernel/clock.ts";
import { MINUTE_MS } from "../kernel/time.ts";

/**
 * The maximum age of a section, from the read of its log. A faster run may have put a tombstone in
 * the meantime. This limit is far shorter than that tombstone's life, so a paused run cannot bring
 * the deleted key back.
 */
const SECTION_AGE_MAX_MS = MINUTE_MS;

/**
 * Thrown when a run was frozen for so long that its reads can no longer be trusted. It begins
 * again.
 */
export class SectionTooOld extends Error {
  override readonly name = "SectionTooOld";
}

/** Throws when reads from that time are too old to base a write on them. */
export function assertYoung(clock: Clock, stamp: Stamp): void {
  if (ageMs(clock, stamp) > SECTION_AGE_MAX_MS) {
    throw new SectionTooOld(
      "Compaction was paused for too long. It begins again at the checkpoint.",
    );
  }
}
