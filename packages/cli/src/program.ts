import { type Argument, Command } from "commander";
import type { Cli, Globals } from "./cli.ts";
import { archiveCommands } from "./commands/archive.ts";
import { completionCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { eraseCommands } from "./commands/erase.ts";
import { exportCommand } from "./commands/export.ts";
import { keysCommands } from "./commands/keys.ts";
import { listenCommand } from "./commands/listen.ts";
import { loginCommands } from "./commands/login.ts";
import { parkedCommands } from "./commands/parked.ts";
import { portalCommands } from "./commands/portal.ts";
import { publishCommand } from "./commands/publish.ts";
import { pushCommands } from "./commands/push.ts";
import { quotaCommands } from "./commands/quota.ts";
import { readCommands } from "./commands/read.ts";
import { schemasCommands } from "./commands/schemas.ts";
import { startCommand } from "./commands/start.ts";
import { stateCommands } from "./commands/state.ts";
import { streamsCommands } from "./commands/streams.ts";
import { subsCommands } from "./commands/subs.ts";
import { tenantsCommands } from "./commands/tenants.ts";
import { usageCommand } from "./commands/usage.ts";
import { whoamiCommand } from "./commands/whoami.ts";
import type { Given, Register } from "./register.ts";
import { VERSION } from "./version.ts";

export type ProgramDeps = {
  /** Called with the help that a user asks for. */
  writeHelp(text: string): void;
  /** Called before a command runs. */
  start(globals: Globals, command: string): Cli;
};

export function buildProgram({ writeHelp, start }: ProgramDeps): Command {
  const program = new Command("el");
  program
    .description("Publish to EventLedger, read it, and operate it.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .option("--json", "print JSON: a document for one thing, a line each for several")
    .option("--no-json", "print tables, also into a pipe")
    .option("--url <url>", "the server (EVENTLEDGER_URL)")
    .option("--api-key <key>", "the API key (EVENTLEDGER_API_KEY keeps it out of process lists)")
    .option("--profile <name>", "a saved server (EVENTLEDGER_PROFILE)")
    .option("-y, --yes", "do not ask before something is deleted or moved")
    .usage("COMMAND [options]")
    .addHelpText("after", "\nel COMMAND --help shows examples.")
    .configureHelp({ helpWidth: 80, subcommandTerm: termOf })
    .configureOutput({
      writeOut: writeHelp,
      writeErr: writeHelp,
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .setOptionValue("json", undefined);

  const act: Register["act"] =
    (action) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const options = given.at(-2) as Parameters<typeof action>[2];
      const cli = start(command.optsWithGlobals(), nameOf(command));
      await action(cli, given.slice(0, -2).flat() as unknown as Given, options);
    };
  for (const [group, commands] of COMMANDS) {
    program.commandsGroup(group);
    for (const add of commands) add({ program, act });
  }
  program.helpCommand("help [command]", "show help for a command");
  for (const noun of program.commands) noun.helpCommand(false);
  return program;
}

/**
 * Formats a command as `seek <subscription> <place>`. The first level has too many commands for
 * that form.
 */
const termOf = (command: Command): string =>
  [
    command.name(),
    ...(command.parent?.parent ? command.registeredArguments.map(spelled) : []),
  ].join(" ");

type Group = readonly [title: string, commands: readonly ((register: Register) => void)[]];

const COMMANDS: readonly Group[] = [
  ["Start:", [startCommand, loginCommands, whoamiCommand, doctorCommand]],
  ["Events:", [publishCommand, readCommands, stateCommands, listenCommand]],
  [
    "Operate:",
    [
      ...[streamsCommands, schemasCommands, archiveCommands, exportCommand, eraseCommands],
      ...[subsCommands, parkedCommands, pushCommands],
    ],
  ],
  ["Access:", [keysCommands, portalCommands, tenantsCommands, usageCommand, quotaCommands]],
  ["Shell:", [completionCommand]],
];

const spelled = (argument: Argument): string =>
  argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;

/** Returns the full name of a command, such as `el subs seek`. */
export const nameOf = (command: Command): string =>
  command.parent ? `${nameOf(command.parent)} ${command.name()}` : "el";
