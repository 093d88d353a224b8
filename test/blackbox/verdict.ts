import type { Line, ViolationName } from "../history/history.ts";
import { PROXY_FAULTS } from "./fault-proxy.ts";
import type { Played } from "./play.ts";

/** The figures that a run is judged by. */
export type Verdict = {
  readonly acknowledgedEvents: number;
  readonly storedEvents: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly otherViolations: number;
  readonly requestFaults: number;
  readonly processKills: number;
  readonly processPauses: number;
  readonly databaseKills: number;
  readonly bootstrapsUnderChurn: number;
  readonly catchUpMs: number;
};

const LOST: readonly ViolationName[] = ["lost-write", "torn-write", "poll-skip", "unseen"];
const DUPLICATED: readonly ViolationName[] = ["duplicate", "nonmonotonic-poll", "bootstrap-extra"];
const REORDERED: readonly ViolationName[] = [
  ...["realtime-order", "nonmonotonic-send", "inconsistent-offsets"],
] as ViolationName[];

export function verdictOf({ history, violations, counts, events, catchUpMs }: Played): Verdict {
  const found = (names: readonly ViolationName[]) =>
    violations.filter(({ name }) => names.includes(name)).length;
  const sum = (prefix: string) =>
    Object.entries(counts).reduce((n, [name, of]) => n + (name.startsWith(prefix) ? of : 0), 0);
  const databaseKills = counts["nemesis.kill.database"] ?? 0;
  const [lost, duplicated, reordered] = [found(LOST), found(DUPLICATED), found(REORDERED)];
  return {
    acknowledgedEvents: acknowledgedOf(history),
    storedEvents: events,
    ...{ lost, duplicated, reordered },
    otherViolations: violations.length - lost - duplicated - reordered,
    requestFaults: PROXY_FAULTS.reduce((n, fault) => n + (counts[`proxy.${fault}`] ?? 0), 0),
    processKills: sum("nemesis.kill.") - databaseKills,
    processPauses: sum("nemesis.pause."),
    databaseKills,
    bootstrapsUnderChurn: counts["bootstrap.caught-up"] ?? 0,
    catchUpMs: Math.round(catchUpMs),
  };
}

/** How many different events a publisher was told to be in the log. */
function acknowledgedOf(history: readonly Line[]): number {
  const asked = new Map<number, readonly { readonly n: number }[]>();
  const acknowledged = new Set<number>();
  for (const line of history) {
    if (line.type === "invoke" && line.op === "publish") asked.set(line.call, line.events);
    if (line.type !== "ok" || line.op !== "publish") continue;
    for (const { n } of asked.get(line.call) ?? []) acknowledged.add(n);
  }
  return acknowledged.size;
}

export const printVerdict = (verdict: Verdict): string =>
  Object.entries(verdict)
    .map(([name, of]) => `${name.padEnd(24)}${String(of).padStart(12)}`)
    .join("\n");
