import type { Command } from "commander";
import type { Cli } from "./cli.ts";

/** The arguments for registering a command. */
export type Register = {
  readonly program: Command;
  /** Wraps an action, which receives the run, its arguments and its own options. */
  act<Options>(
    action: (cli: Cli, given: Given, options: Options) => Promise<void>,
  ): (...given: unknown[]) => Promise<void>;
};

/** The arguments of a command. Required ones are always present. */
export type Given = readonly [string, string, ...string[]];
