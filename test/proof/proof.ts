import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Said } from "./record.ts";

/** A record that a suite saved. A campaign lists its commits in `stretches`. */
export type Recorded = {
  readonly said: Said;
  readonly ended?: string;
  readonly saved?: string;
  readonly commit?: string;
  readonly node?: string;
  readonly stretches?: readonly { readonly commit: string; readonly node: string }[];
};

const root = path.join(import.meta.dirname, "../..");
const RESULTS = path.join(root, "test/results");
const PAGE = path.join(root, "docs/proof.md");

/** Returns docs/proof.md with the sentences of all records in its table. */
export function proofPage(): string {
  return fill(readFileSync(PAGE, "utf8"), "figures", `\n\n${tableOf(loadRecords())}\n\n`);
}

/** Returns the table with one row for each record, by the name of its suite. */
export function tableOf(records: ReadonlyMap<string, Recorded>): string {
  const rows = [...records].map(([name, record]) => {
    const { part, ran, found } = record.said;
    return `| [${part}](../test/results/${name}.json) | ${ran} | ${found} | ${originOf(record)} |`;
  });
  return ["| suite | what ran | what it found | when and on what |", "|---|---|---|---|"]
    .concat(rows.sort())
    .join("\n");
}

/** Returns the page with `text` between the marks `<!-- name -->` and `<!-- /name -->`. */
export function fill(page: string, name: string, text: string): string {
  const [head, tail] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(head);
  const to = page.indexOf(tail);
  if (from === -1 || to < from) throw new Error(`The page has no place for ${name}`);
  return page.slice(0, from + head.length) + text + page.slice(to);
}

/** Returns the date, the commits and the Node version of a record. */
function originOf({ ended, saved, commit, node, stretches = [] }: Recorded): string {
  const runs = commit === undefined ? stretches : [{ commit, node: node ?? "" }];
  const commits = new Set(runs.map((run) => run.commit.replace(/^(.{7})\w*/, "$1")));
  const nodes = new Set(runs.map((run) => run.node.replace(/^v/, "Node ")));
  const date = (ended ?? saved ?? "").slice(0, 10);
  return [date, [...commits].join(" "), ...nodes].filter((text) => text !== "").join(", ");
}

/** Returns every record of test/results, by its name. */
export function loadRecords(): ReadonlyMap<string, Recorded> {
  const files = readdirSync(RESULTS).filter((file) => file.endsWith(".json"));
  return new Map(
    files.map((file) => [
      path.basename(file, ".json"),
      JSON.parse(readFileSync(path.join(RESULTS, file), "utf8")),
    ]),
  );
}

/** `npm run proof:page` writes the table of docs/proof.md. */
if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, proofPage());
