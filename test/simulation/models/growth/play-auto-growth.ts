import { scenarios } from "./auto-growth-scenarios.ts";

/** Prints the name of the first scenario that fails. */
const BROKEN = new Set(["AssertionError", "InvariantError"]);
const failed: string[] = [];
for (const [name, play] of Object.entries(scenarios)) {
  if (failed.length > 0) break;
  await play().catch((error: unknown) => {
    // Only a broken promise counts, not a mutant that does not run at all.
    if (!(error instanceof Error) || !BROKEN.has(error.name)) throw error;
    failed.push(name);
  });
}
console.log(JSON.stringify(failed));
