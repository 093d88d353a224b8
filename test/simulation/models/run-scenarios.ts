import "../world/quick-electrodb.ts";
import { playBootstrapScenarios } from "./play-scenarios.ts";

/** Prints which scenarios a core in a folder fails, and how. */
const [, , folder = ""] = process.argv;
const failures = await playBootstrapScenarios(folder);
console.log(JSON.stringify(Object.fromEntries(failures.map(({ name, detail }) => [name, detail]))));
