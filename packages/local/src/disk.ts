import { statfs } from "node:fs/promises";

type Space = { readonly bavail: number; readonly bsize: number };

/**
 * The space that must be free beyond the write itself. The store writes to its journal first and to
 * its file later, and other programs use the disk as well.
 */
const FREE_MIN_BYTES = 1024 * 1024;

/** A disk with this much free space is not looked at again for a moment: no program fills it. */
const PLENTY_BYTES = 1024 ** 3;
const BELIEVED_MS = 100;

/**
 * Returns a function that checks whether the disk of a folder has room for a write of that many
 * bytes. With 0, it checks for the largest write that was refused. It logs once when the disk is
 * full, and once when it has room again. A disk of unknown size counts as having room.
 */
export function watchDisk(
  folder: string,
  onNotice: (line: string) => void,
  look: (path: string) => Promise<Space> = statfs,
  now: () => number = () => performance.now(),
): (bytes: number) => Promise<boolean> {
  /** The size of the largest write that was refused since the disk last had room. */
  let refused = 0;
  let plentyUntil = Number.NEGATIVE_INFINITY;
  return async (bytes) => {
    if (now() < plentyUntil) return true;
    const free = await look(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    );
    if (free >= PLENTY_BYTES && refused === 0) plentyUntil = now() + BELIEVED_MS;
    const needed = FREE_MIN_BYTES + 2 * bytes;
    if (free < needed) {
      if (refused === 0) {
        onNotice(
          `The disk of ${folder} is full (${free} bytes are free). No events are written until it has room.`,
        );
      }
      refused = Math.max(refused, needed);
      return false;
    }
    if (refused > 0 && free >= refused) {
      onNotice(`The disk of ${folder} has room again.`);
      refused = 0;
    }
    return bytes > 0 || refused === 0;
  };
}
