import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { figuresOf, fill, type Recorded, type Records, singlePuts } from "./figures.ts";

const root = path.join(import.meta.dirname, "../..");
const RESULTS = path.join(root, "test/results");

/** The pages as the records want them, by path. */
export function proofPages(): ReadonlyMap<string, string> {
  const records = loadRecords();
  const filled = (file: string, name: string, text: string): [string, string] => {
    const page = path.join(root, "docs", file);
    return [page, fill(readFileSync(page, "utf8"), name, text)];
  };
  return new Map([
    filled("proof.md", "figures", `\n\n${figuresOf(records)}\n\n`),
    filled("bugs-found.md", "single puts", singlePuts(records)),
  ]);
}

function loadRecords(): Records {
  const files = readdirSync(RESULTS).filter((file) => file.endsWith(".json"));
  const load = (file: string): [string, Recorded] => [
    path.basename(file, ".json"),
    JSON.parse(readFileSync(path.join(RESULTS, file), "utf8")),
  ];
  return new Map(files.map(load));
}

/** `npm run proof:page` writes the figures of docs/proof.md and docs/bugs-found.md anew. */
if (process.argv[1] === import.meta.filename) {
  for (const [page, text] of proofPages()) writeFileSync(page, text);
}
