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

type Team = TeamKeys & { readonly name: string; readonly processed: Set<number> };
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
    const team = teams.get(name) ?? { ...newTeamKeys(), name, processed: new Set() };
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
    } else if (line.op === "processed") addProcessed(withWalks, teamOf(line.team), line);
    else if (line.op === "drained") checkDrained(rules, teamOf(line.team), line);
    else if (line.op === "restored") {
      restoredAt = at;
      for (const team of teams.values()) forgetAll(team);
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

/**
 * Checks that a worker processes an event after all earlier ones of its key, except those that were
 * skipped or have expired.
 */
function addProcessed(
  { walkBack, ...rules }: TeamRules & { walkBack: ReturnType<typeof createWalks> },
  team: Team,
  line: Info & { op: "processed" },
): void {
  const { report, options } = rules;
  for (const n of line.events) {
    const found = team.processed.has(n) ? undefined : eventIn(rules, line.life, n);
    team.processed.add(n);
    if (found === undefined) continue;
    const { chain, event } = found;
    for (const before of walkBack(chain, event)) {
      if (!isOwed(team, before)) continue;
      if (team.processed.has(before.n) || !isStillKept(before, line.atMs, options)) break;
      const found = `${team.name}: ${event.n} of ${event.key} at ${event.sequence}`;
      report("overtaken", line.atMs, `${found} before ${before.n} at ${before.sequence}`);
      break;
    }
  }
}

function checkDrained(rules: TeamRules, team: Team, line: Info & { op: "drained" }): void {
  const { chains, report, options } = rules;
  for (const chain of chains.all.values()) {
    if (chain.life !== line.life || chain.repairedTo > 1) continue;
    const left = chain.events.find(
      (event) =>
        isOwed(team, event) &&
        !team.processed.has(event.n) &&
        isStillKept(event, line.atMs, options),
    );
    if (left === undefined) continue;
    const where = `${left.n} of ${left.key} at ${left.sequence} of partition ${chain.partition}`;
    report("unprocessed", line.atMs, `${team.name}: ${where}`);
  }
}
