import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const root = path.resolve(import.meta.dirname, "../..");
export const platform = path.join(root, ".sst", "platform");

/**
 * Makes sure that `.sst/platform` holds the components and types of the `sst` in package.json. The
 * first call takes about 20 seconds. It needs only the npm registry: no AWS account and no Pulumi.
 * Several processes may call it at once. Throws with the command to try by hand.
 */
export async function ensurePlatform(): Promise<void> {
  if (isReady()) return;
  const release = await lock();
  try {
    if (!isReady()) await install();
  } finally {
    release();
  }
}

/**
 * These variables are the CLI's own: no Pulumi, no bun, no telemetry, and a stage name for root.
 */
const INSTALL_ENV = {
  SST_TELEMETRY_DISABLED: "1",
  SST_SKIP_DEPENDENCY_CHECK: "1",
  SST_NO_BUN: "1",
  SST_STAGE: "ci",
};

async function install(): Promise<void> {
  const cli = path.join(root, "node_modules", "sst", "bin", "sst.mjs");
  const env = { ...process.env, ...INSTALL_ENV };
  const child = spawn(process.execPath, [cli, "install", "--print-logs"], {
    cwd: root,
    env,
    timeout: 150_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  if (code === 0 && isReady()) return;
  const byHand = Object.entries(INSTALL_ENV).map((pair) => pair.join("="));
  throw new Error(
    "The infra tests need SST's own files in .sst/platform, and `sst install` could not write " +
      `them (exit ${code}). It needs the npm registry, once. To see what is wrong:\n` +
      `  ${byHand.join(" ")} npx sst install\n${output.trim().slice(-2_000)}`,
  );
}

/**
 * `sst install` writes `version` first and `config.d.ts` last, so an interrupted installation does
 * not count.
 */
function isReady(): boolean {
  const versionFile = path.join(platform, "version");
  const started = statSync(versionFile, { throwIfNoEntry: false });
  const finished = statSync(path.join(platform, "config.d.ts"), { throwIfNoEntry: false });
  if (!started || !finished || finished.mtimeMs < started.mtimeMs) return false;
  return readFileSync(versionFile, "utf8").trim() === sstVersion();
}

/** Returns the version of the installed npm package `sst`. */
export function sstVersion(): string {
  const file = path.join(root, "node_modules", "sst", "package.json");
  return JSON.parse(readFileSync(file, "utf8")).version;
}

const LOCK_DIR = path.join(root, ".sst", "install.lock");
const LOCK_STALE_MS = 160_000;

async function lock(): Promise<() => void> {
  mkdirSync(path.dirname(LOCK_DIR), { recursive: true });
  for (;;) {
    try {
      mkdirSync(LOCK_DIR);
      return () => rmSync(LOCK_DIR, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const taken = statSync(LOCK_DIR, { throwIfNoEntry: false });
    if (taken && Date.now() - taken.mtimeMs > LOCK_STALE_MS) rmSync(LOCK_DIR, { recursive: true });
    await sleep(200);
  }
}
