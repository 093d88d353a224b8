import { data } from "./data.ts";
import { live } from "./live.ts";
import { rights } from "./rights.ts";
import { scale } from "./scale.ts";
import { runTogether } from "./suites.ts";

runTogether([rights, data, live, scale]);
