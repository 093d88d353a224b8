import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import type { Cli } from "../cli.ts";
import { profilesFile, profilesMode } from "../connection/profiles.ts";
import { Failure, UsageError } from "../io.ts";
import { explain } from "../output/trouble.ts";
import { duration, relative } from "../output/words.ts";
import type { Register } from "../register.ts";
import { VERSION } from "../version.ts";
import { loadLocal } from "./start.ts";

/** One check of the doctor: its subject, its result, and the remedy if the result is bad. */
export type Check = {
  readonly name: string;
  readonly status: "ok" | "warning" | "failed";
  readonly found: string;
  readonly remedy?: string;
};

export function doctorCommand({ program, act }: Register): void {
  program
    .command("doctor")
    .description("check this machine, the server and the key")
    .addHelpText("after", "\nExample:\n  $ el doctor")
    .action(act(doctor));
}

async function doctor(cli: Cli): Promise<void> {
  const checks: Check[] = [];
  for (const check of [version, profiles, store, port, server]) {
    await cli.out.progress("checking ...");
    checks.push(...(await check(cli)));
  }
  const marks = { ok: ["green", "ok"], warning: ["yellow", "!!"], failed: ["red", "no"] } as const;
  const width = Math.max(...checks.map(({ name }) => name.length));
  await cli.out.document({ checks }, () =>
    checks
      .flatMap(({ name, status, found, remedy }) => {
        const [style, mark] = marks[status];
        const line = `${cli.out.style(style, mark)}  ${name.padEnd(width)}  ${found}`;
        return remedy === undefined ? [line] : [line, `    ${" ".repeat(width)}  ${remedy}`];
      })
      .join("\n"),
  );
  const failed = checks.filter(({ status }) => status === "failed");
  if (failed.length > 0)
    throw new Failure(`Failed checks: ${failed.map(({ name }) => name).join(", ")}.`);
}

const ok = (name: string, found: string): Check => ({ name, status: "ok", found });
const bad = (name: string, status: "warning" | "failed", found: string, remedy: string): Check => ({
  name,
  status,
  found,
  remedy,
});

async function version(): Promise<Check[]> {
  const { node } = process.versions;
  const major = Number(node.split(".")[0]);
  return [
    ok("el", VERSION),
    major >= 24
      ? ok("Node.js", node)
      : bad("Node.js", "warning", node, "el start needs Node.js 24"),
  ];
}

async function profiles({ io }: Cli): Promise<Check[]> {
  const file = profilesFile(io);
  const mode = profilesMode(io);
  if (mode === undefined) return [ok("profiles", "none saved")];
  if ((mode & 0o077) === 0) return [ok("profiles", file)];
  return [bad("profiles", "failed", "other users can read your keys", `chmod 600 ${file}`)];
}

/** The local stack needs Java only where its embedded store has no package. */
async function store(): Promise<Check[]> {
  try {
    const { defaultStoreKind } = await loadLocal();
    if (defaultStoreKind() === "dynoxide") return [ok("local store", "dynoxide, without Java")];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [
      bad("local stack", "warning", "not installed, so there is no el start", error.help ?? ""),
    ];
  }
  const java = await javaVersion();
  if (java !== undefined && java >= 17) return [ok("Java", `${java}, for the local store`)];
  const found = java === undefined ? "not found" : `${java} is too old`;
  return [bad("Java", "warning", `${found}, so there is no el start`, "install Java 17 or newer")];
}

async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await promisify(execFile)("java", ["-version"], { timeout: 10_000 });
    const [, major] = /version "(\d+)/.exec(stderr) ?? [];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

async function port({ io }: Cli): Promise<Check[]> {
  const wanted = Number(io.env.PORT || 4000);
  const probe = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once("error", () => resolve(false)).listen(wanted, "127.0.0.1", () => resolve(true));
  });
  probe.close();
  return [
    ok(
      `port ${wanted}`,
      isFree ? "free" : "in use: el start needs --port, unless this is that stack",
    ),
  ];
}

const DAY_MS = 86_400_000;

async function server(cli: Cli): Promise<Check[]> {
  const { io } = cli;
  try {
    const { admin, target } = cli.server();
    const place = ok("server", `${target.url} (from ${target.urlFrom})`);
    const began = io.now();
    const clock = await serverClock(cli, target.url);
    const reached = ok("reached", `in ${Math.round(io.now() - began)} ms`);
    await admin.health({ deep: true, signal: io.signal });
    const caller = await admin.whoami({ signal: io.signal });
    const { expiresAt, keyId, scopes } = caller;
    const key = ok("API key", `${keyId} (from ${target.keyFrom ?? "nowhere"})`);
    const ends = relative(expiresAt, io.now());
    const isSoon = expiresAt !== undefined && Date.parse(expiresAt) - io.now() < 7 * DAY_MS;
    return [
      place,
      reached,
      ok("table", "answers"),
      clock,
      key,
      ok("may", scopes.join(", ")),
      ...(isSoon ? [bad("expiry", "warning", ends, `el keys rotate ${keyId} --expires 90d`)] : []),
    ];
  } catch (error) {
    if (io.signal.aborted) throw error;
    if (error instanceof UsageError)
      return [bad("server", "warning", error.message, "el start, or el login URL")];
    const { what, help } = explain(error, cli.about);
    const isLocal = /127\.0\.0\.1|localhost/.test(cli.about.url ?? "");
    const remedy = help === "el doctor" ? (isLocal ? "el start" : "check the address") : help;
    return [bad("server", "failed", what, remedy ?? "el login")];
  }
}

/** With a wrong clock, places such as -15m are wrong. */
async function serverClock({ io }: Cli, url: string): Promise<Check> {
  const began = io.now();
  const response = await fetch(`${url}/health`, { signal: io.signal }).catch(() => undefined);
  await response?.body?.cancel();
  const date = Date.parse(response?.headers.get("date") ?? "");
  if (Number.isNaN(date)) return ok("clock", "not compared");
  const seconds = Math.abs(date - (began + io.now()) / 2) / 1_000;
  if (seconds < 5) return ok("clock", "as the server's");
  const found = `${duration(seconds)} away from the server's`;
  return bad(
    "clock",
    "warning",
    found,
    "set this machine's clock: places such as -15m depend on it",
  );
}
