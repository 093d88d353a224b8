import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Simulated } from "./simulate.ts";

/** The results of some seeds. */
export type SeedTally = {
  readonly seeds: number;
  /** The number of requests that the store received. */
  readonly operations: number;
  readonly faults: number;
  readonly events: number;
  readonly simulatedHours: number;
  readonly failures: readonly { readonly seed: string; readonly violations: readonly string[] }[];
  /** All counts by name. */
  readonly counts: Readonly<Record<string, number>>;
};

const FAILURES_MAX = 100;

export const emptyTally = (): SeedTally => ({
  seeds: 0,
  operations: 0,
  faults: 0,
  events: 0,
  simulatedHours: 0,
  failures: [],
  counts: {},
});

export const tallyOf = ({
  seed,
  counts,
  violations,
  history,
  simulatedMs,
}: Simulated): SeedTally => {
  const sum = (prefix: string) =>
    Object.entries(counts).reduce((n, [name, of]) => n + (name.startsWith(prefix) ? of : 0), 0);
  const events = history.reduce(
    (n, line) => n + (line.type === "info" && line.op === "batch" ? line.events.length : 0),
    0,
  );
  return {
    seeds: 1,
    operations: sum("sent."),
    faults: sum("fault."),
    events,
    counts,
    simulatedHours: simulatedMs / 3_600_000,
    failures:
      violations.length === 0
        ? []
        : [
            {
              seed,
              violations: violations.map(({ name, detail }) => `${name}: ${detail.slice(0, 160)}`),
            },
          ],
  };
};

export function addTally(a: SeedTally, b: SeedTally): SeedTally {
  const counts: Record<string, number> = { ...a.counts };
  for (const [name, of] of Object.entries(b.counts)) counts[name] = (counts[name] ?? 0) + of;
  return {
    seeds: a.seeds + b.seeds,
    operations: a.operations + b.operations,
    faults: a.faults + b.faults,
    events: a.events + b.events,
    simulatedHours: a.simulatedHours + b.simulatedHours,
    failures: [...a.failures, ...b.failures].slice(0, FAILURES_MAX),
    counts,
  };
}

/** Returns the same tally with its counts sorted by name. */
export const sortTally = (tally: SeedTally): SeedTally => ({
  ...tally,
  counts: Object.fromEntries(Object.entries(tally.counts).sort(([x], [y]) => (x < y ? -1 : 1))),
});

export const printTally = (tally: SeedTally): string => {
  const { counts, failures, ...totals } = sortTally(tally);
  return [
    ...Object.entries(counts).map(([name, of]) => `${name.padEnd(44)}${of}`),
    ...Object.entries(totals).map(([name, of]) => `${name.padEnd(44)}${Math.round(of)}`),
    `failed seeds${" ".repeat(32)}${failures.map(({ seed }) => seed).join(" ") || "none"}`,
  ].join("\n");
};

/**
 * What must have happened at least once in a run of many seeds. Otherwise the run proves less than
 * it claims.
 */
export const EXPECTED_COUNTS = [
  "publish.ok",
  "publish.replayed",
  "publish.idempotency-key-reused",
  "publish.stream-not-found",
  "publish.outcome-unknown",
  "publish.compaction-stalled",
  "publish.numbering-at-risk",
  "publish.no-answer",
  "read.ok",
  "read.consistent",
  "read.retention-passed",
  "read.subscription-not-found",
  "read.stream-not-found",
  "commit.ok",
  "commit.stale",
  "compact.ok",
  "get.ok",
  "get.key-not-found",
  "delete.ok",
  "seek.ok",
  "subscribe.ok",
  "bootstrap.snapshot-end",
  "client.crash",
  "nemesis.freeze",
  "nemesis.kill",
  "nemesis.clock",
  "sweep.ok",
  "sweep.floor-moved",
  "sweep.end-finished",
  "sweep.life-removed",
  "ring.ok",
  "repair",
  "expired.SEQ",
  "expired.KEY",
  "expired.IDEMPOTENCY",
  "leap.minutes",
  "leap.hours",
  "leap.days",
  "fault.throttle",
  "fault.throttle-after",
  "fault.twice",
  "fault.error-before",
  "fault.error-after",
  "fault.reset-before",
  "fault.reset-after",
  "fault.timeout-before",
  "fault.timeout-after",
  "fault.timeout-late",
  "fault.conflict",
  "fault.unprocessed",
  "fault.short-page",
  "sweep.whole",
  "conflict.transaction",
  "conflict.write",
  "read.torn",
  "doorbell.lost",
  "doorbell.twice",
  "read.bootstrap-expired",
  "patch.ok",
  "nemesis.restore",
  "nemesis.restore-in-place",
  "restored.done",
  "publish.restore-pending",
  "read.restore-pending",
  "read.invalid-cursor-restored",
  "client.bootstraps-again",
  "receive.ok",
  "settle.ok",
  "settle.lease-lost",
  "settle.invalid-cursor-seeked",
  "park.ok",
  "park.outcome-unknown",
  "retry.ok",
  "retry.no-answer",
  "skip.ok",
  "leave.ok",
  "settings.ok",
  "worker.failed",
  "worker.crash",
  "receive.retention-passed",
  "grant.ok",
  "revoke.ok",
  "ask.ok",
  "ask.forbidden",
  "ask.unauthorized",
  "ask.stream-not-found",
  "ask.subscription-not-found",
] as const;

/**
 * What must have happened if something else has. All reads of the product are strongly consistent.
 * If one is not, some reads must have been stale.
 */
const EXPECTED_WITH = [["read.eventual", "read.stale"]] as const;

/** Returns the names of EXPECTED_COUNTS that never happened. */
export const missingFrom = ({ counts }: SeedTally): string[] => {
  const never = (name: string): boolean => (counts[name] ?? 0) === 0;
  const missing = EXPECTED_WITH.flatMap(([cause, effect]) => (never(cause) ? [] : [effect]));
  return [...EXPECTED_COUNTS, ...missing].filter(never);
};

export const versionsOf = () => {
  const load = createRequire(import.meta.url);
  const { version: electrodb } = JSON.parse(
    readFileSync(
      load.resolve("electrodb").replace(/electrodb\/.*/, "electrodb/package.json"),
      "utf8",
    ),
  );
  return { versions: { node: process.version, electrodb } };
};
