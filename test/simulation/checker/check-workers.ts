import type { Failed, Info, Line, Ok } from "./history.ts";
import { type Called, isOfTeam, type TeamInvoke, type TeamRules } from "./teams.ts";

/** A page that gave a worker a share. */
type Given = { readonly worker: string; readonly token: number; readonly at: number };
type Row = Info & { op: "offset" };
type Seen = { readonly row: Row; readonly at: number };

type Team = {
  readonly name: string;
  uid: string | undefined;
  /** The shares that pages have given, by generation and partition. */
  readonly given: Map<string, Given[]>;
  /** The highest generation of an answered page, and when it was answered. */
  generation: { readonly value: number; readonly at: number };
  /** How many polls of each worker are in progress. */
  readonly polls: Map<string, number>;
  readonly lostAtMs: Map<string, number>;
  readonly begunAt: Map<string, number>;
  /** Workers that have left and not polled since. */
  readonly left: Set<string>;
  isMoved: boolean;
};

type State = {
  readonly rules: TeamRules;
  readonly teams: Map<string, Team>;
  readonly byUid: Map<string, Team>;
  /** The last row of each partition of a subscription, by life and uid, and the row before it. */
  readonly rows: Map<string, Seen[]>;
  readonly calls: Map<number, { readonly invoke: TeamInvoke; readonly at: number }>;
  restoredAt: number;
};

/** How long a store may still execute a request that was given up. */
const LATE_MS = 10 * 60_000;

/** Checks the shares of workers: who may commit, and who holds what. */
export function checkWorkers(lines: readonly Line[], rules: TeamRules): void {
  const state: State = {
    rules,
    teams: new Map(),
    byUid: new Map(),
    rows: new Map(),
    calls: new Map(),
    restoredAt: -1,
  };
  nameAll(state, lines);
  lines.forEach((line, at) => {
    if (line.type === "invoke") {
      if (!isOfTeam(line)) return;
      state.calls.set(line.call, { invoke: line, at });
      begin(teamOf(state, line.team), line, at);
    } else if (line.type !== "info") {
      end(state, line, at);
    } else if (line.op === "offset") {
      checkRow(state, line, at);
    } else if (line.op === "restored") {
      state.restoredAt = at;
      for (const team of state.teams.values()) forget(team, at);
    }
  });
}

/**
 * Rows are written before the first page reveals whose they are, so this collects the names first.
 */
function nameAll(state: State, lines: readonly Line[]): void {
  const names = new Map<number, string>();
  for (const line of lines) {
    if (line.type === "invoke" && isOfTeam(line)) names.set(line.call, line.team);
    if (line.type !== "ok" || line.op !== "receive") continue;
    const team = teamOf(state, names.get(line.call) ?? "");
    team.uid = line.uid;
    state.byUid.set(line.uid, team);
  }
}

function teamOf({ teams }: State, name: string): Team {
  const team = teams.get(name) ?? {
    name,
    uid: undefined,
    given: new Map(),
    generation: { value: 0, at: -1 },
    polls: new Map(),
    lostAtMs: new Map(),
    begunAt: new Map(),
    left: new Set<string>(),
    isMoved: false,
  };
  teams.set(name, team);
  return team;
}

/** A restore brings back the shares of the copied table. */
function forget(team: Team, at: number): void {
  team.given.clear();
  team.left.clear();
  team.generation = { value: 0, at };
}

function begin(team: Team, line: TeamInvoke, at: number): void {
  if (line.op === "seek") team.isMoved = true;
  if (line.op !== "receive") return;
  team.polls.set(line.worker, (team.polls.get(line.worker) ?? 0) + 1);
  team.begunAt.set(line.worker, at);
  team.left.delete(line.worker);
}

function end(state: State, line: Ok | Failed, at: number): void {
  const call = state.calls.get(line.call);
  if (call === undefined) return;
  const { invoke, at: since } = call;
  const team = teamOf(state, invoke.team);
  if (invoke.op === "receive") {
    team.polls.set(invoke.worker, (team.polls.get(invoke.worker) ?? 1) - 1);
    if (line.type !== "ok") team.lostAtMs.set(invoke.worker, line.atMs);
  }
  if (state.restoredAt > since) return;
  if (invoke.op === "receive" && line.type === "ok" && line.op === "receive") {
    noteShare(state, team, { worker: invoke.worker, page: line, at });
  } else if (invoke.op === "settle" && line.type === "ok") {
    checkCommit(state, team, invoke, { line, since });
  } else if (invoke.op === "settle" && line.type === "fail" && line.code === "lease-lost") {
    checkLoss(state, team, invoke, { line, since });
  } else if (invoke.op === "leave" && line.type === "ok") {
    noteLeft(state, team, invoke.worker, { line, since });
  }
}

const idOf = (generation: number, partition: number): string => `${generation}/${partition}`;

function noteShare(
  { rules }: State,
  team: Team,
  { worker, page, at }: { worker: string; page: Ok & { op: "receive" }; at: number },
): void {
  if (page.generation > team.generation.value) team.generation = { value: page.generation, at };
  page.tokens.forEach((token, partition) => {
    if (token === null) return;
    const id = idOf(page.generation, partition);
    const given = team.given.get(id) ?? [];
    team.given.set(id, given);
    const same = given.find((each) => each.token === token);
    if (same !== undefined && same.worker !== worker) {
      const found = `${token} of partition ${partition} is of ${same.worker} and of ${worker}`;
      rules.report("token-regress", page.atMs, `${team.name}: ${found}`);
    }
    if (same === undefined) given.push({ worker, token, at });
  });
}

/**
 * Returns the row of a partition at a line of the history. Unknown after a restore until it is
 * written.
 */
function rowAt(
  { rows, restoredAt }: State,
  { uid }: Team,
  partition: number,
  at: number,
): Row | undefined {
  const seen = rows.get(`${uid}/${partition}`)?.findLast((each) => each.at < at);
  return seen !== undefined && seen.at > restoredAt ? seen.row : undefined;
}

/** Checks that a worker commits nothing new after another one has taken over from it. */
function checkCommit(
  state: State,
  team: Team,
  { worker, generation, to, tokens }: Called<"settle">,
  { line, since }: { line: Ok | Failed; since: number },
): void {
  const { report } = state.rules;
  const { value, at } = team.generation;
  if (generation < value && at < since) {
    report("void-commit", line.atMs, `${team.name}: ${generation} by ${worker}, now ${value}`);
  }
  tokens.forEach((token, partition) => {
    if (token === null) return;
    const later = team.given
      .get(idOf(generation, partition))
      ?.find((each) => each.token > token && each.worker !== worker && each.at < since);
    const committed = rowAt(state, team, partition, since)?.next ?? Infinity;
    if (later === undefined || (to[partition] ?? 0) <= committed) return;
    const found = `${worker} commits ${to[partition]} of partition ${partition} by ${token}`;
    report(
      "fenced-commit",
      line.atMs,
      `${team.name}: ${found}, ${later.worker} has ${later.token}`,
    );
  });
}

/** Checks that `lease-lost` is answered only if another token has been given. */
function checkLoss(
  state: State,
  team: Team,
  { worker, tokens, generation }: Called<"settle">,
  { line, since }: { line: Ok | Failed; since: number },
): void {
  const isHeld = tokens.every((token, partition) => {
    const rows = state.rows.get(`${team.uid}/${partition}`) ?? [];
    const before = rowAt(state, team, partition, since);
    const all = [before, ...rows.filter(({ at }) => at >= since).map(({ row }) => row)];
    return (
      token === null || all.every((row) => row?.token === token && row.generation === generation)
    );
  });
  if (!isHeld || tokens.every((token) => token === null)) return;
  state.rules.report("false-loss", line.atMs, `${team.name}: ${worker} by ${tokens}`);
}

/**
 * Checks that a worker that has left holds nothing, unless one of its polls may still be executed.
 */
function noteLeft(
  state: State,
  team: Team,
  worker: string,
  { line, since }: { line: Ok | Failed; since: number },
): void {
  const isQuiet =
    (team.polls.get(worker) ?? 0) === 0 &&
    (team.begunAt.get(worker) ?? -1) < since &&
    line.atMs - (team.lostAtMs.get(worker) ?? -Infinity) > LATE_MS;
  if (!isQuiet) return;
  team.left.add(worker);
  for (const [id, rows] of state.rows) {
    const last = rows.at(-1);
    // A row that a restore brings back is not seen until it is written.
    const row = last !== undefined && last.at > state.restoredAt ? last.row : undefined;
    if (!id.startsWith(`${team.uid}/`) || row?.owner !== worker) continue;
    state.rules.report("kept-share", line.atMs, `${team.name}: ${worker} holds ${row.partition}`);
  }
}

function checkRow(state: State, row: Row, at: number): void {
  const { report } = state.rules;
  const team = state.byUid.get(row.subscription);
  if (team === undefined) return;
  const id = `${row.subscription}/${row.partition}`;
  const rows = state.rows.get(id) ?? [];
  state.rows.set(id, rows);
  const before = rows.at(-1)?.row;
  rows.push({ row, at });
  if (before === undefined || before.life !== row.life) return;
  const what = `${team.name}: partition ${row.partition}`;
  if ((row.token ?? Infinity) < (before.token ?? 0)) {
    report("token-regress", row.atMs, `${what}: ${row.token} after ${before.token}`);
  }
  if (row.owner !== undefined && row.owner !== before.owner && team.left.has(row.owner)) {
    report("kept-share", row.atMs, `${what} is taken by ${row.owner}, which has left`);
  }
  const isChanged = row.generation > before.generation && !team.isMoved;
  if (isChanged && row.next !== before.next) {
    report("moved-by-settings", row.atMs, `${what}: ${row.next} after ${before.next}`);
  }
}
