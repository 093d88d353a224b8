import type { Failed, Ok } from "./history.ts";
import { createUnderWay, type TeamInvoke, type UnderWay } from "./teams.ts";

/** A value that is valid since a line of the history. */
export type Since<T> = { readonly at: number; readonly value: T };

/** What is known about one key of a team's subscription. */
type KeyState = {
  readonly parks: UnderWay;
  /** Calls that release events of the key. */
  readonly frees: UnderWay;
  /** The sequence from which the key is certainly parked. */
  parked: Since<number> | undefined;
  /** The sequences that are certainly skipped, and since when. */
  readonly skipped: Map<number, number>;
  /** Sequences whose skip an operator requested. From then on they need not be delivered. */
  readonly excused: Set<number>;
};

/** What is known about a team's subscription: its filter, and what is parked and skipped. */
export type TeamKeys = {
  readonly keys: Map<string, KeyState>;
  /** Seeks in progress. A seek ends all parking. */
  readonly seeks: UnderWay;
  readonly settings: UnderWay;
  /**
   * Every filter that the subscription may have had. An event that one of them leaves out need not
   * be delivered.
   */
  readonly prefixes: string[];
  filter: Since<string> | undefined;
};

/** What was certain when a call began. */
export type Started = {
  readonly at: number;
  readonly parked: ReadonlyMap<string, Since<number>>;
  readonly filter: Since<string> | undefined;
};

export const newTeamKeys = (): TeamKeys => ({
  keys: new Map(),
  seeks: createUnderWay(),
  settings: createUnderWay(),
  prefixes: [],
  filter: { at: -1, value: "" },
});

export function keyIn({ keys }: TeamKeys, key: string): KeyState {
  const known = keys.get(key) ?? {
    parks: createUnderWay(),
    frees: createUnderWay(),
    parked: undefined,
    skipped: new Map(),
    excused: new Set(),
  };
  keys.set(key, known);
  return known;
}

/** A restore brings back what was parked, skipped and set when the table was copied. */
export function forgetAll(team: TeamKeys): void {
  team.filter = undefined;
  forgetParking(team);
}

function forgetParking({ keys }: TeamKeys): void {
  for (const state of keys.values()) {
    state.parked = undefined;
    state.skipped.clear();
  }
}

/** Records the beginning of a call. What the call may change is no longer certain. */
export function beginCall(team: TeamKeys, line: TeamInvoke, at: number): Started {
  if (line.op === "park") {
    const { parks, skipped } = keyIn(team, line.key);
    parks.begin();
    // A skipped event may be delivered again once its key is parked from there on.
    for (const each of skipped.keys()) if (each >= line.sequence) skipped.delete(each);
  } else if (line.op === "retry" || line.op === "skip") {
    const state = keyIn(team, line.key);
    state.frees.begin();
    state.parked = undefined;
    if (line.op === "skip") state.excused.add(line.sequence);
  } else if (line.op === "seek") {
    team.seeks.begin();
    forgetParking(team);
  } else if (line.op === "settings" && line.keyPrefix !== undefined) {
    team.settings.begin();
    team.prefixes.push(line.keyPrefix);
    team.filter = undefined;
  }
  const parked = [...team.keys].flatMap(([key, { parked: since }]) =>
    since === undefined ? [] : [[key, since] as const],
  );
  return { at, parked: new Map(parked), filter: team.filter };
}

/**
 * Records the end of a call. Its change is certain if no other call in progress may change the
 * same.
 */
export function endCall(
  team: TeamKeys,
  invoke: TeamInvoke,
  line: Ok | Failed,
  { since, at, restoredAt }: { since: number; at: number; restoredAt: number },
): void {
  const isDone = line.type === "ok" && restoredAt < since;
  const isUnmoved = team.seeks.isQuietSince(since);
  if (invoke.op === "park") {
    const state = keyIn(team, invoke.key);
    state.parks.end(line, at);
    const isCertain = isDone && isUnmoved && state.frees.isQuietSince(since);
    const from = Math.min(invoke.sequence, state.parked?.value ?? Infinity);
    if (isCertain && from !== state.parked?.value) state.parked = { at, value: from };
  } else if (invoke.op === "retry" || invoke.op === "skip") {
    const state = keyIn(team, invoke.key);
    state.frees.end(line, at);
    const isCertain = isDone && isUnmoved && state.parks.isQuietSince(since);
    if (invoke.op === "skip" && isCertain) state.skipped.set(invoke.sequence, at);
  } else if (invoke.op === "seek") {
    team.seeks.end(line, at);
  } else if (invoke.op === "settings" && invoke.keyPrefix !== undefined) {
    const isCertain = isDone && team.settings.isAloneSince(since);
    if (isCertain) team.filter = { at, value: invoke.keyPrefix };
    team.settings.end(line, at);
  }
}
