import { count, none, type Said } from "../proof/record.ts";

type Run = {
  readonly files: number;
  /** The number of changes in the files. */
  readonly all: number;
  readonly verdicts: readonly { readonly by: string | null; readonly asked: number }[];
  /** The changes that no test notices and no reason explains. */
  readonly unexplained: readonly { readonly asked: number }[];
  /** Which tests were run with the changes. */
  readonly tests: string;
};

/**
 * Describes the result of a run: how many of the changes were tried, and how many a test noticed.
 * A change that no test of the run has executed is counted separately.
 */
export function sayChanges({ files, all, verdicts, unexplained, tests }: Run): Said {
  const chosen = `${count(verdicts.length, "change")} of ${count(all, "change")}`;
  const alive = verdicts.filter(({ by }) => by === null).length;
  const open = unexplained.filter(({ asked }) => asked > 0).length;
  const found = [
    `${count(verdicts.length - alive, "change")} noticed`,
    `${count(alive - unexplained.length, "change")} unnoticed with a reason`,
    `${none(open, "change")} unnoticed without one`,
    ...(open === unexplained.length
      ? []
      : [`${count(unexplained.length - open, "change")} not executed by these tests`]),
  ];
  return {
    part: "Small changes of the code",
    ran: `${chosen} in ${count(files, "file")}, each until a test notices it; ${tests}`,
    found: found.join(", "),
  };
}
