import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whereWeAre } from "./sim/campaign.ts";

/** Looked at as the run begins: whoever goes on working meanwhile changes nothing of it. */
const where = process.env.RECORD ? whereWeAre() : undefined;

/**
 * With RECORD set, writes `results/<name>.json` next to this file: what was run and counted, of which
 * commit and on what. Without, nothing: only a whole run is evidence.
 */
export function keepRecord(name: string, figures: object): void {
  if (where === undefined) return;
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const record = { ended: new Date().toISOString(), ...where, ...figures };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
}
