import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import { newFolder, type openCli, run } from "./open-cli.ts";
import { wordsOf } from "./words.ts";

const root = join(import.meta.dirname, "../..");

/**
 * Runs the commands of pages as a reader would. Commands in `console` blocks must print exactly
 * what the page shows. `WRITE_PAGES=1` writes their output into the page.
 */
export function createReader({
  url,
  adminKey,
  home,
}: Pick<Awaited<ReturnType<typeof openCli>>, "url" | "adminKey" | "home">) {
  // The commands find the stack as a user's commands do, and shells find `el` by its name.
  mkdirSync(join(home, ".eventledger"));
  const running = { pid: process.pid, url };
  writeFileSync(join(home, ".eventledger/running.json"), JSON.stringify(running));
  writeFileSync(join(home, ".eventledger/admin-key"), adminKey);
  const bin = newFolder();
  symlinkSync(join(root, "packages/cli/bin/eventledger.mjs"), join(bin, "el"));
  const env = { HOME: home, NO_COLOR: "1" };

  async function readPage(
    name: string,
    before: (section: string) => Promise<void> = async () => {},
  ): Promise<void> {
    const path = join(root, name);
    const text = readFileSync(path, "utf8");
    const written: string[] = [];
    for (const part of text.split(/^(?=```|## )/m)) {
      if (part.startsWith("## ")) await before(part.split("\n")[0] ?? "");
      written.push(part.startsWith("```console") ? await runBlock(part) : part);
    }
    const now = written.join("");
    if (process.env.WRITE_PAGES === "1") writeFileSync(path, now);
    expect(now.split("\n").map(steady)).toEqual(text.split("\n").map(steady));
  }

  async function runBlock(block: string): Promise<string> {
    const commands = block.split("\n").filter((line) => line.startsWith("$ "));
    const outputs: string[] = [];
    for (const line of commands) {
      const command = line.slice(2).replace(/^npx /, "");
      outputs.push(`${line}\n${await outputOf(command.replace("http://127.0.0.1:4000", url))}`);
    }
    return `\`\`\`console\n${outputs.join("")}`;
  }

  /** A single command runs in this process with a terminal, and anything else in a shell. */
  async function outputOf(command: string): Promise<string> {
    if (/^el [^|<>]*$/.test(command)) {
      let output = "";
      const onWrite = (text: string) => {
        output += text;
      };
      await run(wordsOf(command).slice(1), { env, cwd: home, tty: true, onWrite });
      return withoutProgress(output)
        .replaceAll(`${url}  `, "http://127.0.0.1:4000   ")
        .replaceAll(url, "http://127.0.0.1:4000")
        .replaceAll(home, "~");
    }
    const shell = {
      cwd: home,
      env: { ...env, ...COMPILE_CACHE, PATH: `${bin}:${process.env.PATH}` },
    };
    const { stdout } = await promisify(execFile)("bash", ["-c", command], shell);
    return stdout;
  }
  return { readPage, env };
}

/** Returns the text that remains on a terminal after a progress line has replaced itself. */
const withoutProgress = (output: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that clears a line
  output.replaceAll(/[^\n]*\r\u001b\[2K/g, "");

/** Returns a line without the parts that differ from run to run. Columns keep their places. */
const steady = (line: string): string =>
  line
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "hh:mm:ss")
    .replaceAll(/\b\d+[sm] ago|\bnow\b/g, "ago")
    .replace(/ Compacted .*| \([\d,]+\/s\)/g, "")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "uuid")
    .replaceAll(/\b\d+ B\b/g, "n B")
    .replaceAll(/\b[0-9a-f]{24}\b/g, "erasure")
    .replaceAll(/\b[0-9a-f]{40,}…/g, "sha256")
    .replaceAll(/elk_\w+/g, "elk")
    .replaceAll(/whsec_[\w+/=]+/g, "whsec")
    .replaceAll(/"(id|publishedAt|createdAt|cursor|life|committed)":"[^"]*"/g, '"$1":""')
    .replaceAll(/\b\d+ ms\b|\b[\d.]+ s\b|\b\d+[sm]\b/g, "n")
    .replaceAll(/\b[a-z0-9]{12}\b/g, "id")
    .replaceAll(/^.. {2}(local store|Java|port \d+) .*/g, "ok  $1")
    .replaceAll(/ +/g, " ")
    .trimEnd();
