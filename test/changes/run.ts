import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { saveRecord } from "../proof/record.ts";
import { whereWeAre } from "../proof/where.ts";
import { type Continued, continueRecord } from "./continue-record.ts";
import { EXAMINED } from "./examined.ts";
import { findChanges } from "./find-changes.ts";
import { judge } from "./judge.ts";
import { type Measured, measure } from "./measured.ts";
import { verdictsOf } from "./plan.ts";
import { tryAll } from "./play.ts";
import { sampleOf } from "./sample.ts";
import { sayChanges } from "./say-changes.ts";
import { openSession } from "./session.ts";
import { sourcesOf } from "./sources.ts";
import { SURVIVORS } from "./survivors.ts";

/**
 * `npm run mutate -- <paths>` changes the product in one small place at a time and runs the tests
 * that execute the place, until one fails. It prints the changes that no test notices. It fails
 * when such a change has no reason in survivors.ts, and when survivors.ts has a reason for a change
 * that a test notices.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    projects: { type: "string", default: "unit,model,integration,contract,doors" },
    /** Runs only test files whose path contains one of these texts. */
    tests: { type: "string", default: "" },
    /** Leaves out test files whose path contains one of these texts. */
    without: { type: "string", default: "" },
    /** The number of changes to try, chosen by the seed. The default is all of them. */
    sample: { type: "string" },
    /** The number of changes to try per file, chosen by the seed. */
    each: { type: "string" },
    /** The number of changes to try per guarding file. Without it, `each` does not limit them. */
    guarding: { type: "string" },
    seed: { type: "string", default: process.env.SEED ?? "1" },
    /** Tries only changes whose name contains this text. */
    only: { type: "string", default: "" },
    /**
     * Tries only changes that this record lists as unnoticed. With the same file as `results`, the
     * record is continued.
     */
    again: { type: "string" },
    /** The file for the measurements. If it exists, they are read from it. */
    measured: { type: "string" },
    /** Leaves out tests that take longer than two seconds. */
    quick: { type: "boolean", default: false },
    /** The file for the answers of the tests. If it exists, the run continues after them. */
    answers: { type: "string" },
    results: { type: "string" },
    /** Uses the files that were examined completely, instead of paths. */
    examined: { type: "boolean", default: false },
  },
});

const ROOT = join(import.meta.dirname, "../..");

// The processes that run the tests end with this one.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));

const began = new Date();
const where = whereWeAre();
const files = sourcesOf(values.examined ? EXAMINED : positionals);
const all = files.flatMap((file) =>
  findChanges(file, readFileSync(file, "utf8")).changes.map((change) => ({ file, ...change })),
);
const listed = values.again === undefined ? undefined : survivorsOf(values.again);
const wanted = [...all.keys()].filter((number) => {
  const { file = "", name = "" } = all[number] ?? {};
  return name.includes(values.only) && (listed?.has(`${file} ${name}`) ?? true);
});
const sample = sampleOf(wanted, (number) => all[number]?.file ?? "", {
  seed: values.seed,
  sample: numberOf(values.sample),
  each: numberOf(values.each),
  guarding: numberOf(values.guarding),
});
const folder = mkdtempSync(join(tmpdir(), "changes-"));
const asked = {
  folder,
  files,
  projects: values.projects.split(","),
  tests: textsOf(values.tests),
  without: textsOf(values.without),
};
const kept = values.measured;
const session = await openSession(asked);
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

console.log(`${files.length} files, ${all.length} changes, ${sample.length} to try; measuring`);
const measured: readonly Measured[] =
  kept !== undefined && existsSync(kept)
    ? JSON.parse(readFileSync(kept, "utf8"))
    : await measure(session, asked);
if (kept !== undefined) writeFileSync(kept, JSON.stringify(measured));
const tried = new Set(sample);
const broken = measured.filter(
  ({ passed, meetings }) =>
    !passed && meetings.some(({ meetings: met }) => met.some(([number]) => tried.has(number))),
);
for (const { file, error } of broken)
  console.log(`left out, because it fails unchanged: ${file}: ${error}`);
const answers = await tryAll({
  session,
  measured,
  numbers: sample,
  isQuick: values.quick,
  answers: values.answers ?? join(folder, "answers"),
  onFile: (file, questions) => console.log(`${questions} changes for ${relative(ROOT, file)}`),
});
await session.close();

const verdicts = verdictsOf(sample, answers, (file) => relative(ROOT, file)).flatMap(
  ({ number, ...rest }) => {
    const change = all[number];
    return change === undefined ? [] : [{ ...change, ...rest }];
  },
);
const { alive, unexplained, superfluous } = judge(verdicts, SURVIVORS, {
  files,
  all,
});
console.log(`${verdicts.length - alive.length} of ${verdicts.length} changes noticed`);
for (const { file, name, line } of unexplained)
  console.log(`no reason for ${file}:${line} ${name}`);
for (const { file, name } of superfluous)
  console.log(`a reason that no survivor needs: ${file} ${name}`);
if (values.results !== undefined && values.results === values.again) {
  const before: Continued & { commit: string; ended: string } = JSON.parse(
    readFileSync(values.results, "utf8"),
  );
  const tests = measured.map(({ file }) => relative(ROOT, file));
  const run = { commit: where.commit, projects: values.projects, tests };
  // The record names the commit and the end of its last run.
  const {
    said,
    commit: _,
    ended: __,
    ...figures
  } = continueRecord(before, {
    ...{ files, all, verdicts, run, reasons: SURVIVORS },
  });
  saveRecord(values.results, said, figures, where);
} else if (values.results !== undefined) {
  const tests = `${measured.length} test files of ${values.projects.replaceAll(",", ", ")}`;
  const said = sayChanges({
    files: files.length,
    all: all.length,
    verdicts,
    unexplained,
    tests: values.quick ? `${tests}, without slow tests` : tests,
  });
  const {
    seed,
    sample: asOf = null,
    each = null,
    guarding = null,
    projects,
    quick,
    without,
  } = values;
  const figures = {
    began: began.toISOString(),
    ended: new Date().toISOString(),
    seed,
    sample: asOf,
    each,
    guarding,
    projects,
    quick,
    without,
    paths: positionals,
    files: files.map((file) => countsOf(file)),
    tests: measured.map(({ file }) => relative(ROOT, file)),
    survivors: alive.map(({ file, name, line, asked }) => ({
      file,
      name,
      line,
      asked,
      why: SURVIVORS.find((each) => each.file === file && each.name === name)?.why ?? null,
    })),
  };
  saveRecord(values.results, said, figures, where);
}
process.exitCode = unexplained.length + superfluous.length + broken.length === 0 ? 0 : 1;

function textsOf(list: string): string[] {
  return list.split(",").filter((text) => text !== "");
}

/** Returns the changes that a record lists as unnoticed. */
function survivorsOf(path: string): ReadonlySet<string> {
  const { survivors }: { survivors: { file: string; name: string }[] } = JSON.parse(
    readFileSync(path, "utf8"),
  );
  return new Set(survivors.map(({ file, name }) => `${file} ${name}`));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function countsOf(file: string) {
  const own = verdicts.filter((verdict) => verdict.file === file);
  return {
    file,
    changes: all.filter((change) => change.file === file).length,
    tried: own.length,
    noticed: own.filter(({ by }) => by !== null).length,
  };
}
