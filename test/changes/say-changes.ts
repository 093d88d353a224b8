import { count, none, type Said } from "../proof/record.ts";

type Run = {
  readonly files: number;
  /** The number of changes in the files. */
  readonly all: number;
  readonly verdicts: readonly unknown[];
  readonly alive: readonly unknown[];
  readonly unexplained: readonly unknown[];
};

/**
 * Describes the result of a run: how many of the changes were tried, and how many a test noticed.
 */
export function sayChanges({ files, all, verdicts, alive, unexplained }: Run): Said {
  const tried = `${count(verdicts.length, "change")} tried of ${count(all, "change")}`;
  const explained = alive.length - unexplained.length;
  const noticed = `${count(verdicts.length - alive.length, "change")} noticed`;
  const reasons = `${count(explained, "change")} unnoticed with a reason`;
  return {
    part: "Small changes of the code",
    ran: `${tried} in ${count(files, "file")}, each until a test notices it`,
    found: `${noticed}, ${reasons}, ${none(unexplained.length, "change")} unnoticed without one`,
  };
}
