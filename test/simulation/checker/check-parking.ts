import type { Info, Line, Ok } from "./history.ts";
import { createWalks } from "./key-runs.ts";
import { isStillKept } from "./retentions.ts";
import {
  beginCall,
  endCall,
  forgetAll,
  keyIn,
  newTeamKeys,
  type Started,
  type TeamKeys,
} from "./team-keys.ts";
import { eventIn, isOfTeam, type TeamInvoke, type TeamRules } from "./teams.ts";

type Team = TeamKeys & {
  readonly name: string;
  /** The events that were processed, each with the last line that says so. */
  readonly processed: Map<number, number>;
  /** The last seek to the earliest event. Everything has to be processed again since then. */
  seekedAt: number;
};
type Call = { readonly team: Team; readonly invoke: TeamInvoke; readonly started: Started };
type Received = Ok & { op: "receive" };

/**
 * Checks what the workers of shared subscriptions received: no event of a parked key, no skipped or
 * filtered event, no event out of order, and in the end every event.
 */
export function checkParking(lines: readonly Line[], rules: TeamRules): void {
  const teams = new Map<string, Team>();
  const calls = new Map<number, Call>();
  const withWalks = { ...rules, walkBack: createWalks(rules.chains) };
  let restoredAt = -1;
  const teamOf = (name: string): Team => {
    const team = teams.get(name) ?? { ...newTeamKeys(), name, processed: new Map(), seekedAt: -1 };
    teams.set(name, team);
    return team;
  };
  lines.forEach((line, at) => {
    if (line.type === "invoke") {
      if (!isOfTeam(line)) return;
      const team = teamOf(line.team);
      calls.set(line.call, { team, invoke: line, started: beginCall(team, line, at) });
    } else if (line.type !== "info") {
      const call = calls.get(line.call);
      if (call === undefined) return;
      const { team, invoke, started } = call;
      endCall(team, invoke, line, { since: started.at, at, restoredAt });
      if (line.type === "ok" && line.op === "receive") checkPage(rules, team, line, started);
      if (line.type === "ok" && line.op === "seek") team.seekedAt = started.at;
    } else if (line.op === "processed") {
      const team = teamOf(line.team);
      for (const n of line.events) {
        checkOrder(withWalks, team, line, n);
        team.processed.set(n, at);
      }
    } else if (line.op === "delivery") {
      const team = teamOf(line.team);
      checkDelivery(withWalks, team, line);
      if (line.accepted) team.processed.set(line.event[0], at);
    } else if (line.op === "drained") checkDrained(rules, teamOf(line.team), line);
    else if (line.op === "restored") {
      restoredAt = at;
      for (const team of teams.values()) {
        forgetAll(team);
        team.seekedAt = -1;
      }
    }
  });
}

/**
 * Checks a page against the facts that were certain both when its poll began and when it was
 * answered.
 */
function checkPage(rules: TeamRules, team: Team, page: Received, started: Started): void {
  const { report } = rules;
  for (const [n, sequence] of page.events) {
    const found = eventIn(rules, page.life, n);
    const what = `page ${page.call} of ${team.name}: event ${n} at ${sequence}`;
    if (found?.event.sequence !== sequence) {
      report("inconsistent-offsets", page.atMs, `${what} is not in ${page.life}`);
      return;
    }
    const { key } = found.event;
    const { parked, skipped } = keyIn(team, key);
    const before = started.parked.get(key);
    if (parked !== undefined && parked.at === before?.at && sequence >= parked.value) {
      report("parked-delivery", page.atMs, `${what}, ${key} is parked from ${parked.value} on`);
    }
    if ((skipped.get(sequence) ?? Infinity) < started.at) {
      report("skip-broken", page.atMs, `${what} of ${key} was skipped`);
    }
    const { filter } = team;
    const isSame = filter !== undefined && filter.at === started.filter?.at;
    if (isSame && !key.startsWith(filter.value)) {
      report("filter-broken", page.atMs, `${what} of ${key}, the filter is ${filter.value}`);
    }
  }
}

/**
 * Returns whether an event must be delivered. An event that a filter left out, or whose skip was
 * requested, need not be.
 */
function isOwed(team: Team, { key, sequence }: { key: string; sequence: number }): boolean {
  return (
    team.prefixes.every((prefix) => key.startsWith(prefix)) &&
    !keyIn(team, key).excused.has(sequence)
  );
}

type WalkRules = TeamRules & { readonly walkBack: ReturnType<typeof createWalks> };

/**
 * Checks that an event is processed after all earlier ones of its key, except those that were
 * skipped or have expired.
 */
function checkOrder(
  { walkBack, ...rules }: WalkRules,
  team: Team,
  { life, atMs }: { readonly life: string; readonly atMs: number },
  n: number,
): void {
  const { report, options } = rules;
  const found = team.processed.has(n) ? undefined : eventIn(rules, life, n);
  if (found === undefined) return;
  const { chain, event } = found;
  for (const before of walkBack(chain, event)) {
    if (!isOwed(team, before)) continue;
    if (team.processed.has(before.n) || !isStillKept(before, atMs, options)) return;
    const what = `${team.name}: ${event.n} of ${event.key} at ${event.sequence}`;
    report("overtaken", atMs, `${what} before ${before.n} at ${before.sequence}`);
    return;
  }
}

/** Checks that an event is where the log has it, and that its turn has come. */
function checkDelivery(rules: WalkRules, team: Team, line: Info & { op: "delivery" }): void {
  const [n, sequence] = line.event;
  const place = eventIn(rules, line.life, n)?.place;
  if (place?.sequence !== sequence || place.partition !== line.partition) {
    const what = `${team.name} was sent ${n} as ${sequence} of partition ${line.partition}`;
    rules.report("inconsistent-offsets", line.atMs, what);
  }
  checkOrder(rules, team, line, n);
}

function checkDrained(rules: TeamRules, team: Team, line: Info & { op: "drained" }): void {
  const { chains, report, options } = rules;
  for (const chain of chains.all.values()) {
    if (chain.life !== line.life || chain.repairedTo > 1) continue;
    const isLater = ({ n }: { readonly n: number }) =>
      chains
        .placesOf(n)
        .some(
          ({ life, seenAtMs, isExact }) => life === line.life && isExact && seenAtMs > line.atMs,
        );
    const left = chain.events.find(
      (event) =>
        isOwed(team, event) &&
        !isLater(event) &&
        (team.processed.get(event.n) ?? -1) <= team.seekedAt &&
        isStillKept(event, line.atMs, options),
    );
    if (left === undefined) continue;
    const where = `${left.n} of ${left.key} at ${left.sequence} of partition ${chain.partition}`;
    report("unprocessed", line.atMs, `${team.name}: ${where}`);
  }
}
