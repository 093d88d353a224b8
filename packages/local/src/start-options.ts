import { parseArgs } from "node:util";
import { StackError, systemCode } from "./stack-error.ts";

/** What the arguments of `npm start` ask for. `env` has the settings that they name. */
export type StartOptions = {
  readonly help: boolean;
  readonly isInMemory: boolean;
  readonly env: Readonly<Record<string, string>>;
};

export const START_HELP = `Starts EventLedger on this machine, until Ctrl-C.

Usage: npm start -- [options]

Options:
  --memory         keep everything in memory, until it stops
  --port <port>    the port (PORT; default: 4000, with --memory a free one)
  --data <folder>  the folder of the data (EVENTLEDGER_DATA; default: .eventledger)
  -h, --help       print this, and start nothing

docs/settings.md lists the environment variables, such as HOST and EVENTLEDGER_ADMIN_KEY.`;

/** Reads the arguments. Throws a `StackError` that names one that is unknown or has no value. */
export function readStartOptions(args: readonly string[]): StartOptions {
  const { help, memory, port, data } = parse(args);
  return {
    help: help ?? false,
    isInMemory: memory ?? false,
    env: {
      ...(port === undefined ? {} : { PORT: port }),
      ...(data === undefined ? {} : { EVENTLEDGER_DATA: data }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        memory: { type: "boolean" },
        port: { type: "string" },
        data: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    if (!systemCode(error).startsWith("ERR_PARSE_ARGS_")) throw error;
    const [first = ""] = (error as Error).message.split(/\.\s|\n/);
    throw new StackError(`${first.replace(/\.$/, "")}. npm start -- --help lists the options.`);
  }
}
