import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { evaluateHere } from "../../test/infra/evaluate-here.ts";
import { root } from "../../test/infra/platform.ts";

/**
 * Returns a stack with places in the source instead of the bundle. It looks up `:<line>:<column>`
 * after a bundle's name in the source map next to the bundle. Everything else stays unchanged,
 * including places without an entry in the map.
 */
export function readStack(bundleDir: string, stack: string): string {
  const map = JSON.parse(readFileSync(path.join(bundleDir, "bundle.cjs.map"), "utf8"));
  const source = new SourceMap(map);
  return stack.replaceAll(PLACE, (place, line: string, column: string) => {
    const origin = source.findOrigin(Number(line), Number(column));
    if (!("fileName" in origin)) return place;
    const { fileName, lineNumber, columnNumber } = origin;
    const file = path.relative(root, path.resolve(bundleDir, fileName));
    return `${file}:${lineNumber}:${columnNumber}`;
  });
}

/**
 * The file of a function is `bundle.cjs` here. In a deployment by SST, it has the name of the
 * handler.
 */
const PLACE = /[^\s()]*\.cjs:(\d+):(\d+)/g;

const FUNCTIONS: Readonly<Record<string, string>> = {
  router: "Router",
  compactor: "LedgerSubscriberCompactorFunction",
  sweeper: "SweeperHandler",
};

/**
 * `npm run stack:read -- router` reads a stack of the log from standard input, with line breaks or
 * in the log's JSON form, and prints it with places in the source. It bundles the function as the
 * deployment did, so check out the deployed commit first.
 */
async function main(): Promise<void> {
  const name = FUNCTIONS[process.argv[2] ?? ""];
  if (name === undefined) {
    process.stderr.write(`usage: read-stack.ts ${Object.keys(FUNCTIONS).join("|")} < stack\n`);
    process.exitCode = 2;
    return;
  }
  const bundlesDir = mkdtempSync(path.join(os.tmpdir(), "stack-"));
  try {
    const { bundles } = await evaluateHere({ stage: "production", bundlesDir });
    const stack = (await text(process.stdin)).replaceAll("\\n", "\n");
    process.stdout.write(readStack(bundles[name]?.dir ?? "", stack));
  } finally {
    rmSync(bundlesDir, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
