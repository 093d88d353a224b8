import type { Mutant } from "./mutants.ts";

const FILE = "log/read/time-place.ts";
const story: Pick<Mutant, "by"> = { by: "places" };

/** The rules of what a cursor says of partitions that its reader has not read. */
export const ofPlaces: readonly Mutant[] = [
  {
    rule: "a reader learns what the log has lost after a time",
    file: FILE,
    from: "if (!(await mayHaveLost(deps, chain, found, keptSince))) return",
    to: "if ((await mayHaveLost(deps, chain, found, keptSince)) !== undefined) return",
    ...story,
  },
  {
    rule: "a batch that is gone is as old as rows stay, and not older",
    file: FILE,
    from: "if (isGone && timeMs < clock.now() - storedMs(checkpoint)) return true;",
    to: "if (isGone && timeMs < storedMs(checkpoint) - clock.now()) return true;",
    ...story,
  },
  {
    rule: "rows of an archived partition are gone after days",
    file: FILE,
    from: "archivedTo === undefined ? PHYSICAL_SLACK_MS - DAY_MS : 9 * DAY_MS;",
    to: "archivedTo === undefined ? 9 * DAY_MS : PHYSICAL_SLACK_MS - DAY_MS;",
    ...story,
  },
  {
    rule: "a batch before a gap tells too what is lost",
    file: FILE,
    from: "if (batch === undefined) return false;",
    to: "if (batch === undefined || isGone) return false;",
    ...story,
  },
  {
    rule: "what was lost before the cursor was made is no loss",
    file: FILE,
    from: "const { since, keptSince = since ?? 0 } = place;",
    to: "const { since, keptSince = since ?? 0 } = { since: place.since };",
    ...story,
  },
  {
    rule: "a difference begins with everything that the log has lost after a time",
    file: FILE,
    from: "return edgeAt(found.before ?? low);",
    to: "return edgeAt(Math.max(found.before ?? low, next - 1));",
    ...story,
  },
  {
    rule: "a cursor keeps its times from page to page",
    file: "log/read/browse.ts",
    from: "      ...timesOf(from),\n",
    to: "",
    ...story,
  },
];
