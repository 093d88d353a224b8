import { Violation } from "./bootstrap-oracle.ts";
import { scenarios } from "./bootstrap-scenarios.ts";
import { loadCore } from "./run-oracle.ts";

/** Prints which scenarios a core in a folder fails, and how. */
const [, , folder = ""] = process.argv;
const core = await loadCore(folder);
const failures: Record<string, string> = {};
for (const [name, play] of Object.entries(scenarios)) {
  try {
    await play(core);
  } catch (error) {
    if (error instanceof Violation) failures[name] = error.message;
  }
}
console.log(JSON.stringify(failures));
