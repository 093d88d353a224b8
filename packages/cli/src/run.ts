import { type Command, CommanderError } from "commander";
import { type Cli, createCli } from "./cli.ts";
import { BrokenPipe, Interrupted, type Io } from "./io.ts";
import { errorStyle } from "./output/output.ts";
import { EXIT, explain, type Trouble } from "./output/trouble.ts";
import { visible } from "./output/words.ts";
import { buildProgram } from "./program.ts";

/** Runs one command, and returns its exit code. Nothing is thrown. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let cli = createCli(io, {});
  const help: string[] = [];
  const program = buildProgram({
    writeHelp: (text) => help.push(text),
    start(globals, command) {
      cli = createCli(io, globals);
      cli.about = { command };
      return cli;
    },
  });
  cli.about = { command: commandOf(program, argv) };
  try {
    await program.parseAsync([...argv], { from: "user" });
    await cli.out.progress(undefined);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError && help.length > 0) {
      // `el streams` lacks a verb, so showing its help is an error. `el` alone asks for help.
      const isAsked = error.exitCode === 0 || argv.length === 0;
      const text = `${help.join("").trimEnd()}\n`;
      await (isAsked ? io.stdout : io.stderr).write(text).catch(() => {});
      return isAsked ? EXIT.ok : EXIT.usage;
    }
    return await conclude(error, cli, io, argv).catch(() => EXIT.failed);
  }
}

/**
 * Returns the command, such as `el read`, so that a wrong option is answered with the help of its
 * command.
 */
function commandOf(program: Command, argv: readonly string[]): string | undefined {
  const names: string[] = [];
  let at: Command | undefined = program;
  for (const word of argv) {
    at = at.commands.find((each) => each.name() === word);
    if (at === undefined) break;
    names.push(word);
  }
  return names.length === 0 ? undefined : ["el", ...names].join(" ");
}

async function conclude(
  error: unknown,
  cli: Cli,
  io: Io,
  argv: readonly string[],
): Promise<number> {
  if (error instanceof BrokenPipe) return EXIT.ok;
  await cli.out.progress(undefined);
  if (error instanceof Interrupted || io.signal.aborted) return EXIT.interrupted;
  const trouble = explain(error, cli.about);
  await printTrouble(trouble, cli.globals.json === true || argv.includes("--json"), io);
  return trouble.exitCode;
}

async function printTrouble(trouble: Trouble, asJson: boolean, io: Io): Promise<void> {
  const { what, help, code, requestId, body, exitCode } = trouble;
  if (asJson) {
    const line = { error: what, code, requestId, help, exitCode, problem: body };
    await io.stderr.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const suffix = code === undefined ? "" : ` (${code})`;
  await io.stderr.write(`${errorStyle(io, "red", "error")}  ${visible(what)}${suffix}\n`);
  const request = requestId && errorStyle(io, "dim", `(request ${requestId})`);
  const second = [help && visible(help), request].filter(Boolean).join("  ");
  if (second !== "") await io.stderr.write(`${errorStyle(io, "dim", "help")}   ${second}\n`);
}
