import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePort } from "./free-port.ts";

const DEBIAN = "/usr/lib/postgresql";

/** Returns the folder of Debian's PostgreSQL, if it is installed. */
export const postgresBin = (): string | undefined => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort() : [];
  const bin = join(DEBIAN, versions.at(-1) ?? "none", "bin");
  return existsSync(join(bin, "postgres")) ? bin : undefined;
};

/** Starts a PostgreSQL server without a password, on a socket and a port of this machine. */
export async function startPostgres(bin: string, connections = 8) {
  const root = mkdtempSync("/tmp/eventledger-postgres-");
  const data = join(root, "data");
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"]));
  const user = isRoot ? { uid: id("-u"), gid: id("-g") } : {};
  if (isRoot) execFileSync("chown", ["postgres:", root]);
  const init = ["-D", data, "-U", "postgres", "--auth=trust", "-N", "-E", "UTF8", "--locale=C"];
  execFileSync(join(bin, "initdb"), init, { ...user, cwd: root });
  const port = await freePort();
  const how = ["-D", data, "-p", String(port), "-k", root, "-c", "fsync=off"];
  const server = spawn(join(bin, "postgres"), [...how, "-h", "127.0.0.1"], {
    ...user,
    cwd: root,
    stdio: "ignore",
  });
  const pool = new pg.Pool({ host: "127.0.0.1", port, user: "postgres", max: connections });
  pool.on("error", () => {});
  const isUp = () =>
    pool.query("SELECT 1").then(
      () => true,
      () => false,
    );
  while (!(await isUp())) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}.`);
    await sleep(50);
  }
  return {
    pool,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop(): Promise<void> {
      await pool.end();
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
      rmSync(root, { recursive: true });
    },
  };
}
