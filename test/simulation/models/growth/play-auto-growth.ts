import "../../world/quick-electrodb.ts";
import { scenarios } from "./auto-growth-scenarios.ts";

/** Plays one scenario. Prints whether it fails. */
const BROKEN = new Set(["AssertionError", "InvariantError"]);
const [, , name = ""] = process.argv;
const play = scenarios[name];
if (play === undefined) throw new Error(`there is no scenario "${name}"`);
const isBroken = await play().then(
  () => false,
  (error: unknown) => {
    // Only a broken promise counts, not a mutant that does not run at all.
    if (!(error instanceof Error) || !BROKEN.has(error.name)) throw error;
    return true;
  },
);
console.log(JSON.stringify(isBroken));
