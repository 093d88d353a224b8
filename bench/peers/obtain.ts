import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/**
 * The programs that EventLedger is compared with. They are no part of it: the benchmark alone
 * fetches them, in pinned versions and into a folder of its own. Each function throws an error with
 * one line if its program cannot be had.
 */
const CACHE = join(import.meta.dirname, "../../node_modules/.cache/eventledger/peers");
const NATS = "github.com/nats-io/nats-server/v2@v2.15.3";
const COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const DEBS = ["redis-server", "redis-tools", "liblzf1", "libjemalloc2"];
const LIMIT_MS = 600_000;

async function run(command: string, args: readonly string[], cwd: string, env = {}) {
  const options = { cwd, env: { ...process.env, ...env }, timeout: LIMIT_MS, maxBuffer: 1e8 };
  await promisify(execFile)(command, args, options).catch((error: Error & { code?: string }) => {
    const what = error.code === "ENOENT" ? "is not installed" : `failed: ${lastLine(error)}`;
    throw new Error(`${command} ${what}`);
  });
}

const lastLine = ({ message }: Error): string => message.trim().split("\n").at(-1) ?? message;

/** Makes a folder of the cache once. A folder that was not completed is made again. */
async function keep(name: string, result: string, make: (folder: string) => Promise<void>) {
  const folder = join(CACHE, name);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, result))) await make(folder);
  if (!existsSync(join(folder, result))) throw new Error(`${name} has no ${result}`);
  return join(folder, result);
}

/** Installs the packages of npm: clients for the fronts, and servers. */
async function npmPackages(): Promise<string> {
  return keep("npm", "node_modules/.package-lock.json", async (folder) => {
    for (const file of ["package.json", "package-lock.json"]) {
      copyFileSync(join(import.meta.dirname, file), join(folder, file));
    }
    await run("npm", ["ci", "--no-audit", "--no-fund"], folder);
  });
}

/** Imports one of these packages. */
export async function importPeer<T>(name: string): Promise<T> {
  const require = createRequire(join(CACHE, "npm", "package.json"));
  return (await import(pathToFileURL(require.resolve(name)).href)) as T;
}

export const obtainNpm = async (): Promise<void> => void (await npmPackages());

/** Compiles the NATS server with Go. Returns its path. */
export async function obtainNats(): Promise<string> {
  await npmPackages();
  return keep("nats", "nats-server", (folder) =>
    run("go", ["install", NATS], folder, { GOBIN: folder }),
  );
}

/** Unpacks Debian's Redis. Returns its path and the folder of its libraries. */
export async function obtainRedis(): Promise<{ server: string; libraries: string }> {
  await npmPackages();
  const server = await keep("redis", "usr/bin/redis-server", async (folder) => {
    await run("apt-get", ["download", ...DEBS], folder);
    for (const deb of readdirSync(folder).filter((file) => file.endsWith(".deb"))) {
      await run("dpkg-deb", ["-x", deb, "."], folder);
    }
  });
  return { server, libraries: join(CACHE, "redis/usr/lib/x86_64-linux-gnu") };
}

/** Fetches the jars of Kafka with Maven. Returns a class path. */
export async function obtainKafka(): Promise<string> {
  await npmPackages();
  const libs = await keep("kafka", "lib", async (folder) => {
    copyFileSync(join(import.meta.dirname, "kafka/pom.xml"), join(folder, "pom.xml"));
    await run("mvn", ["-q", "-B", COPY_JARS, "-DoutputDirectory=lib"], folder);
  });
  return join(libs, "*");
}
