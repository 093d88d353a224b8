import { globSync, readFileSync } from "node:fs";
import { type FunctionShape, functionsOf } from "./functions.ts";

/** Prints the figures of the product's functions, and the highest of each kind. */
const SHOWN = 12;

const paths = globSync("packages/{protocol,core,functions}/src/**/*.ts").filter(
  (path) => !path.endsWith(".test.ts"),
);
const functions = paths.flatMap((path) => functionsOf(path, readFileSync(path, "utf8")));

const figures: readonly [string, (of: FunctionShape) => number, number][] = [
  ["complexity above 15", ({ complexity }) => complexity, 15],
  ["lines above 60", ({ lines }) => lines, 60],
  ["positional parameters above 3", ({ parameters }) => parameters, 3],
];

console.log(`${paths.length} files, ${functions.length} functions`);
for (const [title, measure, limit] of figures) {
  const over = functions
    .filter((each) => measure(each) > limit)
    .sort((a, b) => measure(b) - measure(a));
  console.log(`\n${title}: ${over.length} functions`);
  for (const each of over.slice(0, SHOWN)) {
    console.log(`  ${measure(each)} ${each.name} (${each.path}:${each.line})`);
  }
}
const lengths = paths.map((path) => readFileSync(path, "utf8").split("\n").length - 1);
const sorted = lengths.sort((a, b) => a - b);
console.log(
  `\nfiles: median ${sorted[Math.floor(sorted.length / 2)]} lines, longest ${sorted.at(-1)}`,
);
console.log(`files above 300 lines: ${sorted.filter((each) => each > 300).length}`);
