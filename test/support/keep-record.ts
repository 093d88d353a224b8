import { join } from "node:path";
import { type Said, saveRecord } from "../proof/record.ts";
import { whereWeAre } from "../proof/where.ts";

/** This is read when the run begins, so that later edits do not change what the run shows. */
const where = process.env.RECORD ? whereWeAre() : undefined;

/**
 * With RECORD set, writes `results/<name>.json` next to this file: what ran, what it found, and the
 * commit and versions. Without RECORD it writes nothing, because only a run at full size is
 * evidence.
 */
export function keepRecord(name: string, said: Said, figures: object): void {
  if (where === undefined) return;
  saveRecord(join(import.meta.dirname, "../results", `${name}.json`), said, figures, where);
}
