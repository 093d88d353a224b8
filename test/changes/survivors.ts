import type { Survivor } from "./judge.ts";

/** The changes that no test notices, each with the reason why none has to. */
export const SURVIVORS: readonly Survivor[] = [];
