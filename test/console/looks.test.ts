import { accessible } from "./accessible.ts";
import { runTogether } from "./suites.ts";

runTogether([accessible]);
