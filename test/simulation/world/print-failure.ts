import type { Line } from "../checker/history.ts";
import type { Simulated } from "./simulate.ts";

const LINES = 60;

/**
 * Prints what a developer needs to understand a seed: its plan, the violations, and the end of its
 * schedule.
 */
export function printFailure({
  seed,
  plan,
  violations,
  history,
  trace,
  counts,
}: Simulated): string {
  const atMs = violations[0]?.atMs ?? Infinity;
  const before = history.filter((line) => line.atMs <= atMs).slice(-LINES);
  const steps = trace.filter((line) => Number.parseFloat(line) <= atMs).slice(-LINES);
  const operations = Object.entries(counts).filter(([name]) => name.startsWith("sent."));
  return [
    `SEED=${seed} npm run sim`,
    `plan ${JSON.stringify(plan)}`,
    `requests ${operations.map(([name, of]) => `${name.slice(5)} ${of}`).join(", ")}`,
    ...(violations.length === 0 ? ["No violation."] : ["History before the first violation:"]),
    ...(violations.length === 0 ? [] : before.map(printLine)),
    ...(violations.length === 0 ? [] : ["Requests before it:", ...steps]),
    ...violations.map(({ name, detail, atMs: at }) => `VIOLATION ${at} ${name}: ${detail}`),
  ].join("\n");
}

const printLine = ({ atMs, process, type, ...rest }: Line): string =>
  `${atMs} ${process} ${type} ${JSON.stringify(rest)}`;
