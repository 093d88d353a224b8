import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const root = path.resolve(import.meta.dirname, "../..");

/** The table and the secrets of a server of another version. */
export type Serving = {
  readonly endpoint: string;
  readonly tableName: string;
  readonly adminKey: string;
  readonly cursorKey: string;
  /** How far the server's clock is ahead. It then sweeps before it listens. */
  readonly aheadMs?: number;
};

export type Served = { readonly url: string; stop(): Promise<void> };

/**
 * Checks out the product at a commit into a separate folder, with the packages of that time. Needs
 * the history of the repository and the npm registry. `serve` starts its server in a separate
 * process.
 */
export function checkOut(commit: string): {
  serve(serving: Serving): Promise<Served>;
  remove(): void;
} {
  const dir = mkdtempSync(path.join(os.tmpdir(), `eventledger-${commit}-`));
  const parts = ["packages", "package.json", "package-lock.json", ".npmrc"];
  const maxBuffer = 256 * 1024 * 1024;
  const archive = execFileSync("git", ["archive", commit, ...parts], { cwd: root, maxBuffer });
  execFileSync("tar", ["-x", "-C", dir], { input: archive });
  execFileSync("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: dir, stdio: "pipe" });
  return {
    serve: (serving) => serve(dir, serving),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

async function serve(dir: string, serving: Serving): Promise<Served> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", SERVER], {
    cwd: dir,
    env: { PATH: process.env.PATH, DIR: dir, SERVING: JSON.stringify(serving) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("http://")) continue;
    return {
      url: line,
      stop: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }
  throw new Error(`The server in ${dir} ended before it listened`);
}

const SERVER = `
const { existsSync } = await import("node:fs");
const { DIR, SERVING } = process.env;
const { openLedger } = await import(DIR + "/packages/functions/src/open-ledger.ts");
const { systemClock } = await import(DIR + "/packages/core/src/index.ts");
const local = DIR + "/packages/local/src/http-server.ts";
const { startServer } = await import(
  existsSync(local) ? local : DIR + "/packages/functions/src/local.ts"
);
const { aheadMs = 0, ...serving } = JSON.parse(SERVING);
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const opened = openLedger({ region: "local", ...serving, clock });
if (aheadMs > 0) await opened.ledger.sweep();
const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
console.log(server.url);
`;
