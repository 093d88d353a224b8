import { bundleProgram } from "./bundle-program.ts";
import { ensurePlatform } from "./platform.ts";

/**
 * Vitest's global set-up of `infra`. Starts what takes long but hardly loads a processor, while the
 * tests of other projects run. An error is not reported here: the first test that needs the program
 * tries again.
 */
export default function setup(): () => Promise<unknown> {
  const making = ensurePlatform().then(bundleProgram, () => {});
  return () => making.catch(() => {});
}
