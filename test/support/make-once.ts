import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Returns a folder, which `make` fills unless it exists. One process makes it, and the others wait.
 * What `make` throws reaches its caller, and the next process tries again.
 */
export function makeOnce(folder: string, make: (making: string) => void): string {
  mkdirSync(dirname(folder), { recursive: true });
  const lock = `${folder}.lock`;
  while (!existsSync(folder)) {
    if (!takeLock(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
      continue;
    }
    try {
      if (existsSync(folder)) continue;
      const making = mkdtempSync(`${folder}.making-`);
      make(making);
      renameSync(making, folder);
    } finally {
      rmSync(lock);
    }
  }
  return folder;
}

const LOOK_MS = 100;

/** Returns whether this process has the lock now. A lock names its process, which may be gone. */
function takeLock(lock: string): boolean {
  const own = `${lock}-${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lock);
    return true;
  } catch {
    if (isLeft(lock)) rmSync(lock, { force: true });
    return false;
  } finally {
    rmSync(own);
  }
}

function isLeft(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
    return false;
  } catch (error) {
    // The lock is released in the meantime, or belongs to the process of another user.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
