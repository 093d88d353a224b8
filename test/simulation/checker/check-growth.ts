import type { Report } from "./chains.ts";
import type { Invoke, Line } from "./history.ts";
import { createUnderWay } from "./teams.ts";

const PARTITIONS_MAX = 64;

/** Returns whether a call lets the stream grow by itself. */
const letsGrow = (line: Invoke): boolean =>
  (line.op === "create" && line.grows === true) ||
  (line.op === "resize" && line.partitions === "auto");

/**
 * Checks that a stream gets only numbers of partitions that were asked for, except that a stream
 * that grows by itself may get at least twice as many as it has.
 */
export function checkGrowth(lines: readonly Line[], report: Report): void {
  const asked = new Set<number>();
  const calls = new Map<number, { readonly invoke: Invoke; readonly at: number }>();
  const lets = createUnderWay();
  let isLet = false;
  /** Since this line the stream does not grow by itself, unless a later call lets it. */
  let endedAt: number | undefined;
  lines.forEach((line, at) => {
    if (line.type === "invoke") {
      calls.set(line.call, { invoke: line, at });
      if (letsGrow(line)) {
        lets.begin();
        isLet = true;
      } else if (line.op === "resize" && line.partitions !== "auto") asked.add(line.partitions);
    } else if (line.type !== "info") {
      const { invoke, at: since } = calls.get(line.call) ?? {};
      if (invoke === undefined) return;
      if (letsGrow(invoke)) lets.end(line, at);
      else if (invoke.op === "resize" && line.type === "ok") endedAt = since;
    } else if (line.op === "restored") {
      endedAt = undefined;
    } else if (line.op === "growing" && !asked.has(line.to)) {
      const { life, from, to, atMs } = line;
      const what = `${life}: ${to} partitions after ${from}`;
      const hasEnded = endedAt !== undefined && lets.isQuietSince(endedAt);
      if (!isLet || hasEnded) report("unasked-growth", atMs, what);
      else if (to < 2 * from || to > PARTITIONS_MAX) report("shrunk-growth", atMs, what);
    }
  });
}
