import { builtConsole } from "./built.ts";

/** Prints the folder of the built console, for programs that cannot wait for a promise. */
process.stdout.write(await builtConsole());
