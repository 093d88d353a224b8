import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whereWeAre } from "./sim/campaign.ts";

/**
 * With RECORD set, writes `results/<name>.json` next to this file: what was run and counted, of which
 * commit and on what. Without, nothing: only a whole run is evidence.
 */
export function keepRecord(name: string, figures: object): void {
  if (!process.env.RECORD) return;
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const record = { ended: new Date().toISOString(), ...whereWeAre(), ...figures };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
}
