import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "./port.ts";
import { StackError } from "./stack-error.ts";
import {
  defaultStoreKind,
  type StoreKind,
  type StoreProgram,
  storeProgram,
} from "./store-program.ts";
import { type Guarded, startGuarded } from "./watchdog.ts";

/** A running DynamoDB-compatible store. */
export type Store = {
  readonly kind: StoreKind;
  readonly endpoint: string;
  readonly port: number;
  /** The process id of the store itself. */
  readonly pid: number;
  /** The folder of its files: the one asked for, or one in memory that ends with the store. */
  readonly dataDir: string | undefined;
  /** Resolves with the end of the store's output when it ends for any reason. */
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
  stop(): Promise<void>;
};

export type StoreOptions = {
  /** If absent, `defaultStoreKind()`. */
  readonly kind?: StoreKind | undefined;
  /**
   * The folder for the store's files. It is created if absent. Without a folder, everything is in
   * memory.
   */
  readonly dataDir?: string | undefined;
  /** If absent, a free port. */
  readonly port?: number | undefined;
};

/**
 * Starts a store and waits until it answers: dynoxide takes 0.1 s, DynamoDB Local 1 to 2 s. The
 * store ends when this process ends. Throws `JavaMissingError` when DynamoDB Local finds no Java 17
 * or newer, and `StackError` when the store does not start.
 */
export async function startStore(options: StoreOptions = {}): Promise<Store> {
  const { kind = defaultStoreKind(), port = await findFreePort() } = options;
  const program = storeProgram(kind);
  const scratch = options.dataDir === undefined ? program.makeScratch() : undefined;
  const dataDir = options.dataDir ?? scratch;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const process = await startGuarded(program.command, program.arguments(port, dataDir), scratch);
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await waitUntilAnswering(endpoint, process, program);
    if (dataDir !== undefined) await program.prepare(dataDir);
  } catch (error) {
    await process.stop();
    throw error;
  }
  const { pid, ended, stop } = process;
  return { kind, endpoint, port, pid, dataDir, ended, stop };
}

/** Returns whether a server at `endpoint` answers HTTP within `timeoutMs`, with any answer. */
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

const START_TIMEOUT_MS = 30_000;
const ASK_AGAIN_MS = 20;

async function waitUntilAnswering(
  endpoint: string,
  process: Guarded,
  program: StoreProgram,
): Promise<void> {
  let ended: { exitCode: number | null; output: string } | undefined;
  process.ended.then((end) => {
    ended = end;
  }, String);
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    // The wait comes first: a program that could not get the port ends within it. Otherwise another
    // program on that port would be mistaken for the store.
    await sleep(ASK_AGAIN_MS);
    if (ended !== undefined) throw startError(ended, endpoint, program);
    if ((await answersHttp(endpoint, 1_000)) && ended === undefined) return;
  }
  throw new StackError(`${program.title} does not answer at ${endpoint} within 30 s.`);
}

/**
 * The reason is found in the output of the store, the JVM or the shell, because none of them
 * reports it in another way.
 */
function startError(
  { exitCode, output }: { exitCode: number | null; output: string },
  endpoint: string,
  program: StoreProgram,
): StackError {
  const explained = program.explain(exitCode, output);
  if (explained !== undefined) return explained;
  if (/Address already in use|BindException/.test(output)) {
    return new StackError(`${program.title} cannot use ${endpoint}: the port is taken.`);
  }
  const words = output.trim().split("\n").at(-1) ?? "";
  return new StackError(`${program.title} ended while starting (code ${exitCode}): ${words}`);
}
