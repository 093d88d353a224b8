import { count, none, type Said, seconds } from "../../proof/record.ts";
import type { Line, ViolationName } from "../../simulation/checker/history.ts";
import type { ChangeTimes } from "./change-times.ts";
import { PROXY_FAULTS } from "./fault-proxy.ts";
import type { Played } from "./play.ts";

/** The figures by which a run is judged. */
export type Verdict = {
  readonly acknowledgedEvents: number;
  readonly storedEvents: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly otherViolations: number;
  readonly requestFaults: number;
  /** The number of kills of servers and clients. */
  readonly processKills: number;
  readonly processPauses: number;
  readonly databaseKills: number;
  readonly databasePauses: number;
  /** The sum of the request faults, the kills and the pauses. */
  readonly faults: number;
  readonly streamsMadeAnew: number;
  readonly seeks: number;
  readonly bootstrapsUnderChurn: number;
  readonly compactedMs: number;
  readonly catchUpMs: number;
};

const LOST: readonly ViolationName[] = ["lost-write", "torn-write", "poll-skip", "unseen"];
const DUPLICATED: readonly ViolationName[] = ["duplicate", "nonmonotonic-poll", "bootstrap-extra"];
const REORDERED: readonly ViolationName[] = [
  "realtime-order",
  "nonmonotonic-send",
  "inconsistent-offsets",
] as ViolationName[];

export function verdictOf({ history, violations, counts, events, recovery }: Played): Verdict {
  const found = (names: readonly ViolationName[]) =>
    violations.filter(({ name }) => names.includes(name)).length;
  const sum = (prefix: string) =>
    Object.entries(counts).reduce((n, [name, of]) => n + (name.startsWith(prefix) ? of : 0), 0);
  const count = (name: string) => counts[name] ?? 0;
  const databaseKills = count("nemesis.kill.database");
  const databasePauses = count("nemesis.pause.database");
  const requestFaults = PROXY_FAULTS.reduce((n, fault) => n + count(`proxy.${fault}`), 0);
  const [lost, duplicated, reordered] = [found(LOST), found(DUPLICATED), found(REORDERED)];
  return {
    acknowledgedEvents: acknowledgedOf(history),
    storedEvents: events,
    lost,
    duplicated,
    reordered,
    otherViolations: violations.length - lost - duplicated - reordered,
    requestFaults,
    processKills: sum("nemesis.kill.") - databaseKills,
    processPauses: sum("nemesis.pause.") - databasePauses,
    databaseKills,
    databasePauses,
    faults: requestFaults + sum("nemesis."),
    streamsMadeAnew: count("stream.recreated"),
    seeks: count("seek.ok"),
    bootstrapsUnderChurn: count("bootstrap.caught-up"),
    compactedMs: recovery.compactedMs,
    catchUpMs: Math.max(recovery.compactedMs, recovery.readersMs),
  };
}

/** Returns how many different events were acknowledged to a publisher. */
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

/** How a run was made. `changed` is there if partitions were changed in it. */
type Ran = {
  readonly database: string;
  /** The name and the version of the store. */
  readonly store: string;
  readonly minutes: number;
  readonly changed?: { readonly sizes: readonly number[]; readonly times: ChangeTimes };
};

function sayChanges({ sizes, times }: NonNullable<Ran["changed"]>): string {
  const { during, duringUndisturbed: calm } = times;
  return [
    `${sizes.join(", ")} partitions`,
    `${count(during.publishes, "publish", "publishes")} during a change, 99 % within ${seconds(during.p99Ms)} (${seconds(calm.p99Ms)} for the ${calm.publishes} that met no kill and no pause)`,
  ].join(", ");
}

/** Returns the sentence on a black-box run for docs/proof.md. */
export function sayVerdict(verdict: Verdict, { database, store, minutes, changed }: Ran): Said {
  const { lost, duplicated, reordered, otherViolations } = verdict;
  const violations = lost + duplicated + reordered + otherViolations;
  const kinds = `${lost} lost, ${duplicated} duplicated, ${reordered} reordered`;
  const parts = [
    count(minutes, "minute"),
    count(verdict.acknowledgedEvents, "acknowledged event"),
    count(verdict.requestFaults, "spoiled request"),
    count(verdict.processKills, "process kill"),
    count(verdict.processPauses, "process pause"),
    count(verdict.databaseKills, "database kill"),
    count(verdict.bootstrapsUnderChurn, "bootstrap"),
    `caught up ${seconds(verdict.catchUpMs)} after the last fault`,
    ...(changed === undefined ? [] : [sayChanges(changed)]),
  ];
  const of = changed === undefined ? "Black box" : "Black box, partitions changed";
  return {
    part: `${of}, ${store} ${database === "disk" ? "on disk" : "in memory"}`,
    ran: parts.join(", "),
    found: `${none(violations, "violation")} (${kinds}, ${otherViolations} of other kinds)`,
  };
}
