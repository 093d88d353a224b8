import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that is started again whenever it is killed. */
export type Killable = {
  readonly name: string;
  url(): string;
  kill(): Promise<void>;
  /** Stops it for a while, as a suspended machine would be. */
  pause(ms: number): Promise<void>;
  stop(): void;
};

const PROGRAM = fileURLToPath(new URL("./api-process.ts", import.meta.url));

export async function startKillable(name: string, env: NodeJS.ProcessEnv): Promise<Killable> {
  let child: ChildProcess;
  let url = "";
  const start = async (): Promise<void> => {
    child = fork(PROGRAM, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const [message] = (await once(child, "message")) as [{ url: string }];
    url = message.url;
  };
  await start();
  return {
    name,
    url: () => url,
    kill: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      await start();
    },
    pause: async (ms) => {
      child.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGCONT");
    },
    stop: () => {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    },
  };
}
