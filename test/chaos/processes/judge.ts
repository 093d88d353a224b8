import { checkHistory } from "../../simulation/checker/check.ts";
import type { Line, Violation } from "../../simulation/checker/history.ts";
import { sharedMs } from "./box.ts";

/** The history with what the table holds, and what is wrong with it. */
export function judge(
  lines: readonly Line[],
  truth: readonly Line[],
  failures: readonly string[],
): { history: readonly Line[]; violations: readonly Violation[]; events: number } {
  // Lines of one process are in order; those of several, by the clock that they share.
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
