import type { Line } from "./history.ts";
import { RETENTION_MS } from "./made-up-history.ts";

/** Collects the lines of a made-up history, one in each millisecond. */
export function collectLines() {
  const lines: Line[] = [];
  return {
    lines,
    add(line: object): void {
      lines.push({ process: "-", atMs: lines.length + 1, ...line } as Line);
    },
    /** Returns the times of a batch that is published at the moment of the last line. */
    batchTimes: () => ({
      publishedAtMs: lines.length,
      expiresAtMs: lines.length + 2 * RETENTION_MS,
    }),
  };
}
