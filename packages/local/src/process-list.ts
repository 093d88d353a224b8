import { execFileSync } from "node:child_process";

/** Returns whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that the process exists and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Returns the command line of a process, or "" when the process is gone or this system has no `ps`.
 */
export function commandLine(pid: number): string {
  try {
    const args = ["-ww", "-o", "args=", "-p", String(pid)];
    return execFileSync("ps", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}
