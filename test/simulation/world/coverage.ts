import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import { count, none, saveRecord } from "../../proof/record.ts";
import { whereWeAre } from "../../proof/where.ts";
import { type Coverage, unexplainedIn } from "./coverage-gaps.ts";
import "./quick-electrodb.ts";
import { simulate } from "./simulate.ts";
import { KINDS } from "./world.ts";

/**
 * `node test/simulation/world/coverage.ts <seeds> <from> [file]` plays seeds, every other one
 * with the usual plan and the rest with those of all kinds in turn. It prints the blocks of the
 * log, of compaction and of subscriptions that none of them has entered. V8 counts blocks, so every
 * branch with code is one. It fails when a block of the log or of compaction has no reason in
 * never-entered.ts.
 */
const [seeds = 200, from = 0] = process.argv.slice(2, 4).map(Number);
const CORE =
  /packages\/core\/src\/(log|compaction|snapshot|subscription|stream|status|cursor)\/[a-z/-]+\.ts$/;

type Block = { readonly startOffset: number; readonly endOffset: number; readonly count: number };

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
for (let seed = from; seed < from + seeds; seed++) {
  const kind = seed % 2 === 0 ? "" : KINDS[((seed - 1) / 2) % KINDS.length];
  await simulate(`${kind}${seed}`);
}
const { result } = await session.post("Profiler.takePreciseCoverage");

const files = result
  .filter(({ url }) => CORE.test(url))
  .map(({ url, functions }) => {
    const text = readFileSync(fileURLToPath(url), "utf8");
    const blocks: Block[] = functions.flatMap(({ ranges }) => ranges);
    const missed = blocks
      .filter(({ count }) => count === 0)
      .map((block) => describeBlock(text, block));
    return { file: url.replace(/.*packages\//, "packages/"), blocks: blocks.length, missed };
  })
  .sort((a, b) => (a.file < b.file ? -1 : 1));

const blocks = files.reduce((sum, file) => sum + file.blocks, 0);
const missed = files.reduce((sum, file) => sum + file.missed.length, 0);
for (const file of files) {
  console.log(`${file.file}: ${file.blocks - file.missed.length} of ${file.blocks} blocks`);
  for (const each of file.missed) console.log(`  ${each}`);
}
console.log(`${blocks - missed} of ${blocks} blocks entered by ${seeds} seeds`);
const [path] = process.argv.slice(4);
const summary: Coverage = { seeds, from, blocks, entered: blocks - missed, files };
const unexplained = unexplainedIn(summary);
const said = {
  part: "What the simulation enters",
  ran: `${count(seeds, "seed")}, ${blocks - missed} of ${count(blocks, "block")} of the core entered`,
  found: `${none(unexplained.length, "block")} of appending, reading and compacting missed without a reason`,
};
if (path !== undefined) saveRecord(path, said, summary, whereWeAre());
for (const each of unexplained) console.log(`no reason for ${each}`);
process.exit(unexplained.length === 0 ? 0 : 1);

function describeBlock(text: string, { startOffset, endOffset }: Block): string {
  const line = text.slice(0, startOffset).split("\n").length;
  return `${line}: ${text.slice(startOffset, endOffset).replace(/\s+/g, " ").slice(0, 90)}`;
}
