import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { newFolder, openCli, run } from "./open-cli.ts";
import { wordsOf } from "./words.ts";

/**
 * The page is the golden output of a terminal of 80 columns: every command in it runs, and prints
 * what the page shows. `WRITE_PAGES=1` writes the outputs into the page.
 */
const { url, adminKey, home, env } = await openCli();
const page = join(import.meta.dirname, "../../docs/cli.md");
const root = join(import.meta.dirname, "../..");

/** The shell finds the stack as a user's commands do, and `el` by its name. */
mkdirSync(join(home, ".eventledger"));
writeFileSync(join(home, ".eventledger/running.json"), JSON.stringify({ pid: process.pid, url }));
writeFileSync(join(home, ".eventledger/admin-key"), adminKey);
const bin = newFolder();
symlinkSync(join(root, "packages/cli/bin/eventledger.mjs"), join(bin, "el"));
const found = { HOME: env.HOME, NO_COLOR: "1" };

it("every command of docs/cli.md prints what the page shows", { timeout: 180_000 }, async () => {
  const text = readFileSync(page, "utf8");
  let section = "";
  const written: string[] = [];
  for (const part of text.split(/^(?=```|## )/m)) {
    if (part.startsWith("## ")) section = part.split("\n")[0] ?? "";
    if (section === "## Parked keys") await park();
    written.push(part.startsWith("```console") ? await runBlock(part) : part);
  }
  if (process.env.WRITE_PAGES === "1") writeFileSync(page, written.join(""));
  expect(written.join("").split("\n").map(steady)).toEqual(text.split("\n").map(steady));
});

it("the commands of docs/cli.md that follow something end with Ctrl-C", async () => {
  const blocks = [...readFileSync(page, "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm)];
  const commands = blocks
    .flatMap(([, code = ""]) => code.trim().split("\n"))
    .filter((line) => line.startsWith("el ") && !/start|completion/.test(line));
  expect(commands.length).toBeGreaterThan(5);
  await Promise.all(
    commands.map(async (command) => {
      const signal = AbortSignal.timeout(1_500);
      const how = { env: found, cwd: home, tty: true, signal };
      const { code, err } = await run(wordsOf(command).slice(1), how);
      expect([command, code, err]).toEqual([command, 130, expect.anything()]);
    }),
  );
});

let isParked = false;
async function park(): Promise<void> {
  if (isParked) return;
  isParked = true;
  const shipping = new EventLedger({ url, apiKey: adminKey })
    .stream("orders")
    .subscription("shipping");
  await shipping.park({ key: "order-1", sequence: 1, reason: "Error: no such address" });
  await shipping.park({ key: "order-3", sequence: 4, reason: "Error: total is too large" });
}

async function runBlock(block: string): Promise<string> {
  const commands = block.split("\n").filter((line) => line.startsWith("$ "));
  const outputs: string[] = [];
  for (const line of commands) {
    const command = line.slice(2);
    outputs.push(`${line}\n${await outputOf(command.replace("http://127.0.0.1:4000", url))}`);
  }
  return `\`\`\`console\n${outputs.join("")}`;
}

/** A command alone runs in this process on a terminal, and anything else in a shell. */
async function outputOf(command: string): Promise<string> {
  if (/^el [^|<>]*$/.test(command)) {
    let output = "";
    const onWrite = (text: string) => {
      output += text;
    };
    await run(wordsOf(command).slice(1), { env: found, cwd: home, tty: true, onWrite });
    return withoutProgress(output)
      .replaceAll(`${url}  `, "http://127.0.0.1:4000   ")
      .replaceAll(url, "http://127.0.0.1:4000")
      .replaceAll(home, "~");
  }
  const shell = { cwd: home, env: { ...found, PATH: `${bin}:${process.env.PATH}` } };
  const { stdout } = await promisify(execFile)("bash", ["-c", command], shell);
  return stdout;
}

/** What a line that replaces itself leaves on a terminal. */
const withoutProgress = (output: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that clears a line
  output.replaceAll(/[^\n]*\r\u001b\[2K/g, "");

/** A line without what differs from run to run. Columns keep their places. */
const steady = (line: string): string =>
  line
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "hh:mm:ss")
    .replaceAll(/\b\d+[sm] ago|\bnow\b/g, "ago")
    .replace(/ Compacted .*| \([\d,]+\/s\)/g, "")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "uuid")
    .replaceAll(/\b\d+ B\b/g, "n B")
    .replaceAll(/\b[0-9a-f]{40,}…/g, "sha256")
    .replaceAll(/elk_\w+/g, "elk")
    .replaceAll(/"(id|publishedAt|createdAt|cursor|life|committed)":"[^"]*"/g, '"$1":""')
    .replaceAll(/\b\d+ ms\b|\b[\d.]+ s\b|\b\d+[sm]\b/g, "n")
    .replaceAll(/\b[a-z0-9]{12}\b/g, "id")
    .replaceAll(/^.. {2}(local store|Java|port \d+) .*/g, "ok  $1")
    .replaceAll(/ +/g, " ")
    .trimEnd();
