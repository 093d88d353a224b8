import { checkHistory } from "../../simulation/checker/check.ts";
import type { Line, Violation } from "../../simulation/checker/history.ts";
import { sharedMs } from "./box.ts";

/** Returns the history together with the content of the table, and the violations in it. */
export function judge(
  lines: readonly Line[],
  truth: readonly Line[],
  failures: readonly string[],
): { history: readonly Line[]; violations: readonly Violation[]; events: number } {
  // Lines of one process are in order. Lines of several processes are ordered by their shared
  // clock.
  const history = [...lines].sort((a, b) => a.atMs - b.atMs).concat(truth);
  const odd = failures.map((detail) => ({
    name: "internal-error" as const,
    detail,
    atMs: sharedMs(),
  }));
  const violations = [
    ...checkHistory(history, { retentionMs: 24 * 3_600_000, skewMs: 60_000 }),
    ...odd,
  ];
  const events = truth.reduce(
    (sum, line) => sum + (line.type === "info" && line.op === "batch" ? line.events.length : 0),
    0,
  );
  return { history, violations, events };
}
