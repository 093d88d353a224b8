import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createVitest, type TestCase, type TestModule, type Vitest } from "vitest/node";
import config from "../../vitest.config.ts";
import { edge } from "./edge.ts";
import { findChanges } from "./find-changes.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The tests of the projects, run on sources that contain all their changes. */
export type Session = {
  /** Runs every test file while no change is active. */
  measure(): Promise<Measured[]>;
  /** Runs tests of a file with one change active. Returns the first failure, if there is one. */
  try(change: Awake, file: string, tests: readonly string[] | null): Promise<Failure | undefined>;
  close(): Promise<void>;
};

type Awake = { readonly number: number; readonly meetingsMax: number };

/** `test` is absent when the file failed outside of its tests. */
export type Failure = { readonly test: string | undefined; readonly name: string };

/**
 * The times of a test file, and the changes that each of its tests executes. With null, code
 * outside of the tests executes them.
 */
export type Measured = {
  readonly file: string;
  readonly passed: boolean;
  /** The error with which the file fails, if it fails. */
  readonly error: string | undefined;
  readonly msOf: Readonly<Record<string, number>>;
  readonly meetings: readonly Meeting[];
};

export type Meeting = {
  readonly file: string;
  readonly test: string | null;
  readonly meetings: readonly (readonly [number: number, times: number])[];
};

type Asked = {
  /** The source files, relative to the root, in the order in which their changes are numbered. */
  readonly files: readonly string[];
  readonly projects: readonly string[];
  /** Only tests whose path contains one of these texts are used. If the list is empty, all are. */
  readonly tests: readonly string[];
  /** A file to which the tests write the changes that they execute. */
  readonly meetings: string;
};

/**
 * Opens Vitest on sources that contain all changes. The stores that the projects need are started
 * once.
 */
export async function openSession({ files, projects, tests, meetings }: Asked): Promise<Session> {
  const codes = new Map<string, string>();
  let from = 0;
  for (const file of files) {
    const { changes, code } = findChanges(file, readFileSync(join(ROOT, file), "utf8"), from);
    codes.set(join(ROOT, file), code);
    from += changes.length;
  }
  // The set-up of a project runs in this process, with no change active.
  Object.assign(globalThis, { __changed: () => false, __edge: edge });
  const plugin = {
    name: "changes",
    enforce: "pre" as const,
    transform: (_: string, id: string) => {
      const code = codes.get(id.split("?", 1)[0] ?? "");
      return code === undefined ? undefined : { code, map: null };
    },
  };
  const chosen = (config.test?.projects ?? []).flatMap((project) => {
    if (typeof project !== "object" || !("test" in project)) return [];
    if (!projects.includes(String(project.test?.name))) return [];
    const setupFiles = [join(import.meta.dirname, "switch.ts")];
    // Vitest's cache on disk does not know what a plugin makes of a file.
    const test = { ...project.test, setupFiles, fsModuleCache: false };
    return [{ ...project, plugins: [plugin], test }];
  });
  const vitest = await createVitest("test", {
    root: ROOT,
    config: false,
    watch: false,
    projects: chosen,
    reporters: [],
    silent: true,
    maxWorkers: 2,
    passWithNoTests: true,
  });
  const specifications = await vitest.globTestSpecifications([...tests]);
  const byFile = Map.groupBy(specifications, ({ moduleId }) => moduleId);
  return {
    measure: async () => {
      writeFileSync(meetings, "");
      vitest.provide("change", { number: -1, meetingsMax: 0 });
      vitest.provide("chosen", null);
      vitest.provide("meetings", meetings);
      const { testModules } = await vitest.runTestSpecifications(specifications);
      const met = Map.groupBy(readMeetings(meetings), ({ file }) => file);
      return testModules.map((module) => ({
        file: module.moduleId,
        passed: module.state() === "passed",
        error: failureOf(module)?.name,
        msOf: Object.fromEntries(testsOf(module).map((test) => [test.id, msOf(test)])),
        meetings: met.get(module.moduleId) ?? [],
      }));
    },
    try: async (change, file, tests) => {
      vitest.provide("change", change);
      vitest.provide("chosen", tests);
      vitest.provide("meetings", null);
      const specs = byFile.get(file) ?? [];
      const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specs);
      const failures = testModules.flatMap((module) => failureOf(module) ?? []);
      if (failures.length > 0) return failures[0];
      return unhandledErrors.length > 0 ? { test: undefined, name: "outside of tests" } : undefined;
    },
    close: () => close(vitest),
  };
}

const testsOf = (module: TestModule): TestCase[] => [...module.children.allTests()];

const msOf = (test: TestCase): number => Math.round(test.diagnostic()?.duration ?? 0);

function failureOf(module: TestModule): Failure | undefined {
  if (module.state() === "passed" || module.state() === "skipped") return undefined;
  const test = testsOf(module).find((each) => each.result().state === "failed");
  if (test !== undefined) return { test: test.id, name: test.name };
  return { test: undefined, name: module.errors()[0]?.message ?? module.state() };
}

/** A process that does not end must not keep the run from ending. */
async function close(vitest: Vitest): Promise<void> {
  await Promise.race([vitest.close(), new Promise((resolve) => setTimeout(resolve, 5_000))]);
}

const readMeetings = (path: string): Meeting[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Meeting]));
