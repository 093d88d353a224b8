import { execFile } from "node:child_process";
import { promisify } from "node:util";

export type Run = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

const execute = promisify(execFile);

/** Runs a program to its end. If it fails, the error contains its output. */
export async function run({
  command,
  args,
  cwd,
  env,
}: Run): Promise<{ stdout: string; stderr: string }> {
  try {
    return await execute(command, args, {
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 2 ** 20,
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const tail = `${stdout}\n${stderr}`.trim().slice(-4_000);
    throw new Error(`${command} ${args.join(" ")} failed:\n${tail}`, { cause: error });
  }
}

/** Returns whether a program can be started on this machine. */
export const isThere = (command: string, ...args: string[]): Promise<boolean> =>
  execute(command, args).then(
    () => true,
    () => false,
  );
