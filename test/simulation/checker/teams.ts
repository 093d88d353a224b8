import type { Chains, Report } from "./chains.ts";
import type { KeptFor } from "./check.ts";
import type { Failed, Invoke, Line, Ok } from "./history.ts";

/** The parameters of the rules for shared subscriptions. */
export type TeamRules = {
  readonly chains: Chains;
  readonly report: Report;
  readonly options: KeptFor;
};

export type TeamInvoke = Extract<Invoke, { readonly team: string }>;
export type Called<Op extends TeamInvoke["op"]> = Extract<TeamInvoke, { readonly op: Op }>;

export const isOfTeam = (line: Line): line is TeamInvoke =>
  line.type === "invoke" && "team" in line;

/**
 * Returns the place and the key of an event in the life of a page. Returns undefined when it is not
 * there.
 */
export function eventIn({ chains }: TeamRules, life: string, n: number) {
  const place = chains.placesOf(n).find((each) => each.life === life);
  const chain = place && chains.of(life, place.partition);
  const event = chain?.events[place?.index ?? -1];
  return place === undefined || chain === undefined || event === undefined
    ? undefined
    : { place, chain, event };
}

/**
 * The calls of a kind that are in progress. A call with an unknown outcome may take effect at any
 * time, so it stays in progress.
 */
export type UnderWay = {
  begin(): void;
  end(line: Ok | Failed, at: number): void;
  /** Returns whether no such call was in progress at any time since a line of the history. */
  isQuietSince(at: number): boolean;
  /**
   * Returns whether no such call was in progress since that line, except one that began at that
   * line.
   */
  isAloneSince(at: number): boolean;
};

export function createUnderWay(): UnderWay {
  let open = 0;
  let endedAt = -1;
  return {
    begin: () => {
      open++;
    },
    end: ({ type }, at) => {
      if (type === "unknown") return;
      open--;
      endedAt = at;
    },
    isQuietSince: (at) => open === 0 && endedAt < at,
    isAloneSince: (at) => open === 1 && endedAt < at,
  };
}
