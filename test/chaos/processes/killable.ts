import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that can be paused, like a suspended machine. */
export type Pausable = {
  readonly name: string;
  pause(ms: number): Promise<void>;
};

/** A process that is started again each time it is killed. */
export type Killable = Pausable & {
  /** Returns the URL that the process serves, if it serves one. */
  url(): string;
  kill(): Promise<void>;
  /** Sends it a message. */
  tell(message: object): void;
  /** Sends it a message and waits for its next one. */
  ask<T>(message: object): Promise<T>;
  stop(): void;
};

export type KillableOptions = {
  readonly name: string;
  /** The program file in this folder. */
  readonly program: string;
  /** Returns the environment. It is called at each start. */
  readonly env: () => NodeJS.ProcessEnv;
  /** Called when the process has started and reported it. */
  readonly onStart?: () => void;
  /** Called when the process has ended without being killed. */
  readonly onEnd: (what: string) => void;
};

export async function startKillable(options: KillableOptions): Promise<Killable> {
  const { name, env, onStart = () => {}, onEnd } = options;
  const program = fileURLToPath(new URL(options.program, import.meta.url));
  let child: ChildProcess;
  let url = "";
  const start = async (): Promise<void> => {
    const next = fork(program, {
      env: { ...process.env, ...env() },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child = next;
    next.once("exit", (code, signal) => {
      if (signal !== "SIGKILL") onEnd(`${name} ended by itself: ${code ?? signal}`);
    });
    url = (await nextMessage<{ url?: string }>(next)).url ?? "";
    onStart();
  };
  await start();
  const tell = (message: object): void => {
    // A process that is dead at this moment gets the message from its environment when it starts.
    child.send(message, () => {});
  };
  return {
    name,
    url: () => url,
    tell,
    ask: async (message) => {
      const answer = nextMessage<never>(child);
      tell(message);
      return answer;
    },
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

/** Returns the next message of a process. Rejects when the process ends instead. */
function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off("exit", onExit);
      resolve(message as T);
    };
    const onExit = (): void => {
      child.off("message", onMessage);
      reject(new Error(`process ${child.pid} has ended`));
    };
    child.once("message", onMessage);
    child.once("exit", onExit);
  });
}
