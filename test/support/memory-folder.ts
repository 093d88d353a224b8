import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Linux has a disk in memory there. Containers often limit it to 64 MB. */
const MEMORY_DISK = "/dev/shm";
const NEEDED_BYTES = 32 * 1024 ** 2;

/**
 * Creates a folder for databases that write to their disk at each commit. It is in memory where
 * that is possible: such a write takes 20 ms on some disks. Call it where `afterAll` may be called.
 */
export function memoryFolder(): string {
  const folder = mkdtempSync(join(hasMemoryDisk() ? MEMORY_DISK : tmpdir(), "eventledger-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function hasMemoryDisk(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DISK);
    return bavail * bsize >= NEEDED_BYTES;
  } catch {
    return false;
  }
}
