import type { Command } from "commander";
import type { Cli } from "./cli.ts";

/** What a command is registered with. */
export type Register = {
  readonly program: Command;
  /** Wraps an action: it gets the run, its arguments, and its own options. */
  act<Options>(
    action: (cli: Cli, given: Given, options: Options) => Promise<void>,
  ): (...given: unknown[]) => Promise<void>;
};

/** The arguments of a command. Those that are required are always given. */
export type Given = readonly [string, string, ...string[]];
