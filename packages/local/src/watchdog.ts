import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * A guarded program. It ends when it is asked to, and also when this process dies for any reason.
 */
export type Guarded = {
  /** The program's own process id (not the shell's around it). */
  readonly pid: number;
  /** Resolves when the program has ended, with the shell's exit code and the end of its output. */
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
  /** Asks the program to end, kills it after 3 s, and waits until it has ended. */
  stop(): Promise<void>;
};

/**
 * Starts a program that cannot outlive this process, even when SIGKILL ends this process. A small
 * shell reads from a pipe whose only writer is this process. It ends the program when the pipe
 * closes. The program runs in its own session, so that Ctrl-C in the terminal reaches only this
 * process, which stops the program last. After the program, it removes the folder `scratch`. A line
 * that this process no longer reads ends neither of them (SIGPIPE).
 */
export async function startGuarded(
  command: string,
  args: readonly string[],
  scratch = "",
): Promise<Guarded> {
  const shell = spawn("/bin/sh", ["-c", WATCHDOG, "watchdog", scratch, command, ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  shell.stdin.on("error", () => {});
  const output = keepEnd(shell);
  // If the shell itself is killed, its guard ends the program.
  shell.once("exit", () => shell.stdin.destroy());
  const ended = once(shell, "close").then(([exitCode]: (number | null)[]) => ({
    exitCode: exitCode ?? null,
    output: output(),
  }));
  const pid = Number.parseInt(await text(shell.stdout), 10);
  return {
    pid,
    ended,
    stop: async () => {
      shell.stdin.end();
      await ended;
    },
  };
}

const WATCHDOG = `
trap "" PIPE
exec 3<&0
scratch=$1
shift
clear() { if [ -n "$scratch" ]; then rm -rf "$scratch"; fi; }
"$@" </dev/null >&2 3<&- &
program=$!
echo "$program"
exec >&2
{ read -r _ <&3; kill "$program"; sleep 3; kill -9 "$program"; clear; } >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait "$program"
code=$?
kill "$guard"
clear
exit "$code"
`;

const OUTPUT_CHARS_MAX = 4_000;

/**
 * Collects the end of the program's output. Standard output and standard error arrive as one
 * stream.
 */
function keepEnd({ stderr }: ChildProcess): () => string {
  let kept = "";
  stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    kept = (kept + chunk).slice(-OUTPUT_CHARS_MAX);
  });
  return () => kept;
}
