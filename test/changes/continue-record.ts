import { count, none, type Said } from "../proof/record.ts";
import type { Survivor } from "./judge.ts";

type Named = { readonly file: string; readonly name: string; readonly line: number };

/** The part of a record that a later run continues. */
export type Continued = {
  readonly said: Said;
  readonly runs: readonly { readonly tried: number; readonly noticed: number }[];
  readonly leftOut: {
    readonly gone: readonly string[];
    readonly [kind: string]: readonly string[];
  };
  readonly noticed: readonly (Named & { readonly by: string })[];
  /** The changes that no test noticed. `asked` is the number of tests that were run with it. */
  readonly survivors: readonly (Named & { readonly asked: number; readonly why: string | null })[];
};

type Run = {
  /** All changes of the files that this run has read. */
  readonly files: readonly string[];
  readonly all: readonly Named[];
  readonly verdicts: readonly (Named & { readonly by: string | null; readonly asked: number })[];
  readonly reasons: readonly Survivor[];
  /** Describes the run itself. */
  readonly run: object;
};

/**
 * Adds a run to the record of a sample: the changes that it has noticed, and the changes that no
 * longer exist because their code was deleted or rewritten. Everything else in the record stays.
 */
export function continueRecord<Before extends Continued>(
  before: Before,
  { files, all, verdicts, reasons, run }: Run,
): Before {
  const present = new Set(all.map(keyOf));
  const found = new Map(verdicts.map((verdict) => [keyOf(verdict), verdict]));
  const isGone = (change: Named) => files.includes(change.file) && !present.has(keyOf(change));
  const by = (change: Named) => found.get(keyOf(change))?.by ?? null;
  const whyOf = (change: Named) =>
    reasons.find((each) => keyOf(each) === keyOf(change))?.why ?? null;
  const left = before.survivors.filter((change) => !isGone(change));
  const noticed = left.flatMap(({ file, name, line }) => {
    const test = by({ file, name, line });
    return test === null ? [] : [{ file, name, line, by: test }];
  });
  const survivors = left
    .filter((change) => by(change) === null)
    .map((change) => ({
      ...change,
      asked: change.asked + (found.get(keyOf(change))?.asked ?? 0),
      why: whyOf(change),
    }));
  const after = {
    ...before,
    runs: [...before.runs, { ...run, tried: verdicts.length, noticed: noticed.length }],
    leftOut: {
      ...before.leftOut,
      gone: [...before.leftOut.gone, ...before.survivors.filter(isGone).map(keyOf)],
    },
    noticed: [...before.noticed, ...noticed].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    survivors,
  };
  return { ...after, said: sayContinued(after) };
}

/** Describes the result of a sample after all of its runs. The first run tried the whole sample. */
function sayContinued({ said, runs, survivors }: Continued): Said {
  const open = survivors.filter(({ why }) => why === null);
  const untried = open.filter(({ asked }) => asked === 0).length;
  const noticed = runs.reduce((sum, run) => sum + run.noticed, 0);
  const gone = (runs[0]?.tried ?? 0) - noticed - survivors.length;
  return {
    ...said,
    found: [
      `${count(noticed, "change")} noticed`,
      `${count(survivors.length - open.length, "change")} unnoticed with a reason`,
      `${none(open.length - untried, "change")} unnoticed without one`,
      ...(untried === 0 ? [] : [`${count(untried, "change")} not tried with a test`]),
      ...(gone === 0 ? [] : [`${count(gone, "change")} of code that is gone since`]),
    ].join(", "),
  };
}

const keyOf = ({ file, name }: Pick<Named, "file" | "name">): string => `${file} ${name}`;
