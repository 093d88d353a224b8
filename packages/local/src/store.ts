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
  /** Of the store's own process. */
  readonly pid: number;
  /** Resolves with its last words when the store ends, for whatever reason. */
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
  stop(): Promise<void>;
};

export type StoreOptions = {
  /** Without it, `defaultStoreKind()`. */
  readonly kind?: StoreKind | undefined;
  /** The folder for its files, made when absent. Without it, everything is kept in memory. */
  readonly dataDir?: string | undefined;
  /** Without it, a free one. */
  readonly port?: number | undefined;
};

/**
 * Starts a store and waits until it answers: dynoxide in 0.1 s, DynamoDB Local in 1 to 2 s. The
 * store cannot outlive this process. Throws `JavaMissingError` where DynamoDB Local finds no Java
 * 17+, and `StackError` when the store does not start.
 */
export async function startStore(options: StoreOptions = {}): Promise<Store> {
  const { kind = defaultStoreKind(), dataDir, port = await findFreePort() } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const program = storeProgram(kind);
  const process = await startGuarded(program.command, program.arguments(port, dataDir));
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await waitUntilAnswering(endpoint, process, program);
  } catch (error) {
    await process.stop();
    throw error;
  }
  const { pid, ended, stop } = process;
  return { kind, endpoint, port, pid, ended, stop };
}

/** True when something at `endpoint` answers HTTP within `timeoutMs`, with any answer. */
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
    // Asked first: another program may be answering on the port that ours could not get.
    await sleep(ASK_AGAIN_MS);
    if (ended !== undefined) throw startError(ended, endpoint, program);
    if ((await answersHttp(endpoint, 1_000)) && ended === undefined) return;
  }
  throw new StackError(`${program.title} does not answer at ${endpoint} within 30 s.`);
}

/** The output of the store, of the JVM or of the shell decides: they have no other language. */
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
