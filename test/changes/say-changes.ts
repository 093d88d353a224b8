import { count, none, type Said } from "../proof/record.ts";

type Run = {
  readonly files: number;
  /** How many changes the files have. */
  readonly all: number;
  readonly verdicts: readonly unknown[];
  readonly alive: readonly unknown[];
  readonly unexplained: readonly unknown[];
};

/** The sentence of a run: how much of what there is was tried, and what became of it. */
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
