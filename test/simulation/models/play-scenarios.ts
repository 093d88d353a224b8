import { Violation } from "./bootstrap-oracle.ts";
import { scenarios } from "./bootstrap-scenarios.ts";
import { loadCore } from "./run-oracle.ts";

/** Plays every scenario against a core in a folder. Returns which of them fail, and how. */
export async function playBootstrapScenarios(
  folder: string,
): Promise<{ name: string; detail: string }[]> {
  const core = await loadCore(folder);
  const failures: { name: string; detail: string }[] = [];
  for (const [name, play] of Object.entries(scenarios)) {
    try {
      await play(core);
    } catch (error) {
      if (error instanceof Violation) failures.push({ name, detail: error.message });
    }
  }
  return failures;
}
