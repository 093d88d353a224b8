import type { Corruption } from "./corruptions.ts";
import type { Line } from "./history.ts";
import { makeLists } from "./made-up-lists.ts";

type Answer = { readonly events: readonly (readonly number[])[] };

/** Returns the history of lists with its lines changed. */
const changed = (change: (line: Line) => object): Line[] =>
  makeLists().map((line) => ({ ...line, ...change(line) }) as Line);

/** Returns the history with other events in the answers that have an event. */
const withEvents = (op: "list" | "read", n: number, to: readonly (readonly number[])[]): Line[] =>
  changed((line) => {
    const { events } = line as unknown as Answer;
    const isIt = line.type === "ok" && line.op === op && events.some(([each]) => each === n);
    return isIt ? { events: to } : {};
  });

/** Ways to corrupt the history of lists of current states and of changes. */
export const LIST_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "list-mismatch",
    how: "a list of changes lacks a deletion",
    spoil: () => withEvents("list", 6, []),
  },
  {
    name: "list-mismatch",
    how: "a list of changes has a key that has not changed",
    spoil: () => withEvents("list", 7, [[1, 1]]),
  },
  {
    name: "list-mismatch",
    how: "a part of a list lacks a key",
    spoil: () => withEvents("list", 1, []),
  },
  {
    name: "list-mismatch",
    how: "a subscription leaves out what has changed since a cursor",
    spoil: () => withEvents("read", 6, [[7, 7]]),
  },
  {
    name: "bootstrap-extra",
    how: "two parts of a list have the same key",
    spoil: () =>
      changed((line) =>
        line.type === "ok" && line.op === "list" && line.follow[0] === 5
          ? { events: [[1, 1]] }
          : {},
      ),
  },
  {
    name: "list-torn",
    how: "a page of a list continues elsewhere than the others",
    spoil: () =>
      changed((line) =>
        line.type === "ok" && line.op === "list" && line.events.some(([n]) => n === 7)
          ? { follow: [9] }
          : {},
      ),
  },
  {
    name: "changes-forgotten",
    how: "a list of changes is refused although they are some seconds old",
    spoil: () =>
      changed((line) =>
        line.type === "ok" && line.op === "list" && line.events.some(([n]) => n === 6)
          ? { type: "fail", code: "changes-passed" }
          : {},
      ),
  },
];
