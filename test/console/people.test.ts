import { keyboard } from "./keyboard.ts";
import { push } from "./push.ts";
import { runTogether } from "./suites.ts";
import { walk } from "./walk.ts";

runTogether([walk, keyboard, push]);
