import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createVitest, type TestCase, type TestModule, type Vitest } from "vitest/node";
import config from "../../vitest.config.ts";
import { edge } from "./edge.ts";
import { findChanges } from "./find-changes.ts";
import type { Orders } from "./orders.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The tests of the projects, run on sources that contain all their changes. */
export type Session = {
  /** Runs a test file. Without one, runs every file. */
  run(orders: Omit<Orders, "changes">, file?: string): Promise<TestModule[]>;
  close(): Promise<void>;
};

export type Asked = {
  /** The source files, relative to the root, in the order in which their changes are numbered. */
  readonly files: readonly string[];
  readonly projects: readonly string[];
  /** Only tests whose path contains one of these texts are used. If the list is empty, all are. */
  readonly tests: readonly string[];
  /** Tests whose path contains one of these texts are left out. */
  readonly without: readonly string[];
  /** The folder for the files of the run. */
  readonly folder: string;
};

/**
 * Opens Vitest on sources that contain all changes. The stores that the projects need are started
 * once.
 */
export async function openSession(asked: Asked): Promise<Session> {
  const { files, projects, tests, without, folder } = asked;
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
    // The plugin needs Vite to transform the sources. Vitest's cache on disk does not know what a
    // plugin makes of a file.
    const byVite = { experimental: { viteModuleRunner: true }, fsModuleCache: false };
    const test = { ...project.test, ...byVite, setupFiles };
    return [{ ...project, plugins: [plugin], test }];
  });
  const vitest = await createVitest("test", {
    root: ROOT,
    config: false,
    watch: false,
    projects: chosen,
    reporters: [],
    silent: true,
    maxWorkers: 1,
    passWithNoTests: true,
  });
  const found = await vitest.globTestSpecifications([...tests]);
  const specifications = found.filter(
    ({ moduleId }) => !without.some((text) => moduleId.includes(text)),
  );
  const byFile = Map.groupBy(specifications, ({ moduleId }) => moduleId);
  const path = join(folder, "orders.json");
  vitest.provide("orders", path);
  return {
    run: async (orders, file) => {
      writeFileSync(path, JSON.stringify({ ...orders, changes: from }));
      const specs = file === undefined ? specifications : (byFile.get(file) ?? []);
      const { testModules } = await vitest.runTestSpecifications(specs);
      return testModules;
    },
    close: () => close(vitest),
  };
}

/** Returns the first failure of a test file, or undefined. */
export function failureOf(module: TestModule): string | undefined {
  if (module.state() === "passed" || module.state() === "skipped") return undefined;
  const test = testsOf(module).find((each) => each.result().state === "failed");
  return test?.name ?? module.errors()[0]?.message ?? module.state();
}

export const testsOf = (module: TestModule): TestCase[] => [...module.children.allTests()];

/** A process that does not end must not keep the run from ending. */
async function close(vitest: Vitest): Promise<void> {
  await Promise.race([vitest.close(), new Promise((resolve) => setTimeout(resolve, 5_000))]);
}
