import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, inject } from "vitest";
import type { Io, Writer } from "../../packages/cli/src/io.ts";
import { runCli } from "../../packages/cli/src/run.ts";
import { startStack } from "../../packages/local/src/stack.ts";

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

export type Circumstances = {
  /** The command runs on a terminal of 80 columns. */
  readonly tty?: boolean;
  readonly stdin?: string | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly now?: () => number;
  /** Called with everything that the command writes. */
  readonly onWrite?: (text: string) => void;
};

/** Opens the real stack on its own table, and runs the command in this process. */
export async function openCli() {
  const { url, adminKey, stop } = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `cli-${randomUUID()}`,
  });
  afterAll(stop);
  const home = newFolder();
  const env = {
    HOME: home,
    NO_COLOR: "1",
    EVENTLEDGER_URL: url,
    EVENTLEDGER_API_KEY: adminKey,
  };

  /** Runs a command, such as `el("streams", "ls")`. */
  const el = (...argv: string[]): Promise<Ran> => run(argv, { env, cwd: home });
  /** Runs a command with a terminal, an input, or a Ctrl-C. */
  const elWith = (how: Circumstances, ...argv: string[]): Promise<Ran> =>
    run(argv, { cwd: home, ...how, env: { ...env, ...how.env } });
  /** Returns the JSON lines that a command prints. */
  const lines = async (...argv: string[]): Promise<Record<string, never>[]> => {
    const { code, out, err } = await el(...argv);
    if (code !== 0) throw new Error(`el ${argv.join(" ")} ended with ${code}: ${err}`);
    return parseLines(out);
  };
  return { url, adminKey, home, env, el, elWith, lines };
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "eventledger-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const parseLines = (text: string): Record<string, never>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** Runs the command in this process. */
export async function run(
  argv: readonly string[],
  { tty = false, stdin = "", env = {}, cwd = "/", ...how }: Circumstances,
): Promise<Ran> {
  const written = { out: "", err: "" };
  const writer = (name: "out" | "err"): Writer => ({
    isTTY: tty,
    columns: 80,
    async write(text) {
      written[name] += text;
      how.onWrite?.(text);
    },
  });
  const io: Io = {
    stdin: Object.assign(typeof stdin === "string" ? chunksOf(stdin) : stdin, { isTTY: tty }),
    stdout: writer("out"),
    stderr: writer("err"),
    env,
    cwd,
    now: how.now ?? (() => Date.now()),
    signal: how.signal ?? new AbortController().signal,
  };
  return { code: await runCli(argv, io), ...written };
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
