import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A program of this folder in a separate process. */
export type Child<T> = {
  /** Resolves once the program has called `waitForStart`. */
  readonly ready: Promise<void>;
  start(): void;
  /** The parsed output of the child. Rejects when the child fails. */
  readonly result: Promise<T>;
};

export function runChild<T>(program: string, ...parameters: string[]): Child<T> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(path, parameters, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const result = new Promise<T>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(printed) as T);
      else reject(new Error(`${program} ended with code ${code}`));
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    result.catch(reject);
  });
  return { ready, start: () => child.send("start"), result };
}

/** Called by the child. It reports that it is ready, and waits until the parent starts it. */
export async function waitForStart(): Promise<void> {
  await new Promise((resolve) => {
    process.once("message", resolve);
    process.send?.("ready");
  });
  process.disconnect();
}
