import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Running } from "../../../packages/local/src/data-folder.ts";
import { findFreePort } from "../../../packages/local/src/port.ts";

/** The stack of `npm start` in a separate process that can be killed. */
export type KillableStack = {
  readonly url: string;
  readonly apiKey: string;
  /** Kills the server abruptly and starts it again. Returns when it is ready. */
  killServer(): Promise<void>;
  /** Kills the database abruptly. Returns when the server has started it again. */
  killDatabase(): Promise<void>;
  /** Asks the stack to stop, as Ctrl-C does. Returns its exit code. */
  stop(): Promise<number | null>;
  /** Returns the end of the output of all its processes. */
  output(): string;
  /** Kills the stack in any state. */
  kill(): void;
};

export async function startKillableStack(dataFolder: string): Promise<KillableStack> {
  const port = await findFreePort();
  const loadRunning = (): Partial<Running> =>
    JSON.parse(readFileSync(join(dataFolder, "running.json"), "utf8"));
  let printed = "";
  const onPrint = (text: string) => {
    printed = (printed + text).slice(-OUTPUT_CHARS_MAX);
  };
  let child = await startChild(dataFolder, port, onPrint);
  return {
    url: `http://127.0.0.1:${port}`,
    apiKey: readFileSync(join(dataFolder, "admin-key"), "utf8").trim(),
    killServer: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
      child = await startChild(dataFolder, port, onPrint);
    },
    killDatabase: async () => {
      const { databasePid } = loadRunning();
      if (databasePid === undefined) throw new Error("running.json names no database");
      process.kill(databasePid, "SIGKILL");
      while (loadRunning().databasePid === databasePid) await sleep(50);
    },
    stop: async () => {
      child.kill("SIGTERM");
      const [exitCode] = await once(child, "exit");
      return exitCode;
    },
    output: () => printed,
    kill: () => child.kill("SIGKILL"),
  };
}

const OUTPUT_CHARS_MAX = 8_000;

async function startChild(
  dataFolder: string,
  port: number,
  onPrint: (text: string) => void,
): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("../../../packages/local/src/start.ts", import.meta.url));
  const child = spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PORT: String(port),
      EVENTLEDGER_DATA: dataFolder,
      DYNAMODB_ENDPOINT: "",
    },
  });
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const look = (chunk: Buffer) => {
      onPrint(chunk.toString());
      printed += chunk.toString();
      if (printed.includes("stop  Ctrl-C")) resolve();
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.once("exit", (code) => reject(new Error(`The stack ended (${code}):\n${printed}`)));
  });
  return child;
}
