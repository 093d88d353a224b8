import type { TestProject } from "vitest/node";
import { bundleProgram } from "./bundle-program.ts";
import { ensurePlatform } from "./platform.ts";
import { serveEvaluations } from "./serve-evaluations.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the process that evaluates the deployment program for all test files. */
    evaluations: string;
  }
}

/**
 * Vitest's global set-up of `infra`. Starts what takes long but hardly loads a processor, while the
 * tests of other projects run. An error is not reported here: the first test that needs the program
 * tries again.
 */
export default async function setup(project: TestProject): Promise<() => Promise<unknown>> {
  const { url, stop } = await serveEvaluations();
  project.provide("evaluations", url);
  const making = ensurePlatform().then(bundleProgram, () => {});
  return () => {
    stop();
    return making.catch(() => {});
  };
}
