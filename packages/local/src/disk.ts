import { statfs } from "node:fs/promises";

type Space = { readonly bavail: number; readonly bsize: number };

/**
 * The space that must be free in addition to a write. The store writes to its journal first and to
 * its file later, and other programs use the disk too.
 */
const FREE_MIN_BYTES = 1024 * 1024;

/**
 * Tells whether the disk of a folder has room for a write of so many bytes. Asked for none, it
 * tells whether there is room for the write that was refused. It logs once when there is no
 * room, and once when there is room again. A disk of unknown size has room.
 */
export function watchDisk(
  folder: string,
  onNotice: (line: string) => void,
  look: (path: string) => Promise<Space> = statfs,
): (bytes: number) => Promise<boolean> {
  /** The space that is needed for the largest write that was refused since there last was room. */
  let refused = 0;
  return async (bytes) => {
    const free = await look(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    );
    const needed = FREE_MIN_BYTES + 2 * bytes;
    if (free < needed) {
      if (refused === 0) {
        onNotice(`The disk of ${folder} is full (${free} bytes are free): nothing is written.`);
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
