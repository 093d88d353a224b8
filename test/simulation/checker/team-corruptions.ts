import type { Corruption } from "./corruptions.ts";
import type { Delivered, Line } from "./history.ts";
import { makeTeam } from "./made-up-team.ts";

/** Returns the history of a team with some lines changed or removed. */
const changed = (change: (line: Line) => object | undefined): Line[] =>
  makeTeam().flatMap((line) => {
    const to = change(line);
    return to === undefined ? [] : [{ ...line, ...to } as Line];
  });

/** Returns the history with other events in one of its pages, perhaps with another token. */
const withPage = (at: number, numbers: readonly number[], token?: number): Line[] => {
  let pages = 0;
  return changed((line) => {
    if (line.type !== "ok" || line.op !== "receive" || pages++ !== at) return {};
    const events = numbers.map((n): Delivered => [n, n]);
    return { events, ...(token === undefined ? {} : { tokens: [token] }) };
  });
};

const withoutProcessing = (n: number): Line[] =>
  changed((line) =>
    line.type === "info" && line.op === "processed" && line.events.includes(n) ? undefined : {},
  );

/** Returns the history with the commits that were refused with this code as successes. */
const accepted = (code: string): Line[] =>
  changed((line) =>
    line.type === "fail" && line.code === code ? { type: "ok", stale: false } : {},
  );

const withRow = (fits: (row: { owner?: string; generation: number }) => boolean, to: object) =>
  changed((line) => (line.type === "info" && line.op === "offset" && fits(line) ? to : {}));

/** Ways to corrupt the history of a shared subscription. */
export const TEAM_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "parked-delivery",
    how: "a page brings an event of a key that is parked",
    spoil: () => withPage(1, [3]),
  },
  {
    name: "skip-broken",
    how: "a page brings what was skipped",
    spoil: () => withPage(4, [3]),
  },
  {
    name: "filter-broken",
    how: "a page brings a key that the new filter leaves out",
    spoil: () => withPage(5, [2]),
  },
  {
    name: "overtaken",
    how: "the event of a retry is never processed, and a later one is",
    spoil: () => withoutProcessing(1),
  },
  {
    name: "unprocessed",
    how: "the last event is never processed",
    spoil: () => withoutProcessing(5),
  },
  {
    name: "fenced-commit",
    how: "the commit of a worker that was taken over from succeeds",
    spoil: () => accepted("lease-lost"),
  },
  {
    name: "void-commit",
    how: "the commit of a page from before a new filter succeeds",
    spoil: () => accepted("invalid-cursor"),
  },
  {
    name: "token-regress",
    how: "the second worker has the token of the first",
    spoil: () => withPage(4, [5], 1),
  },
  {
    name: "token-regress",
    how: "a fencing token goes back",
    spoil: () => withRow(({ owner }) => owner === "w2", { token: 0 }),
  },
  {
    name: "false-loss",
    how: "a worker is refused while no other has its share",
    spoil: () =>
      changed((line) =>
        line.type === "ok" && line.op === "settle" ? { type: "fail", code: "lease-lost" } : {},
      ),
  },
  {
    name: "kept-share",
    how: "the row of a worker that has left has its name",
    spoil: () => withRow(({ owner }) => owner === undefined, { owner: "w1" }),
  },
  {
    name: "kept-share",
    how: "a worker takes its share back after it has left",
    spoil: () => withRow(({ owner }) => owner === "w2", { owner: "w1" }),
  },
  {
    name: "moved-by-settings",
    how: "the position is another one after a new filter",
    spoil: () => withRow(({ generation }) => generation === 2, { next: 6 }),
  },
];
