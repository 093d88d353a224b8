import type { Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { eachSubscription } from "../connection/each-subscription.ts";
import { loadProfiles } from "../connection/profiles.ts";

export type Suggestion = { readonly word: string; readonly about: string };

/** Returns the completions of the last word. The first word comes after `el`. */
export async function suggest(
  cli: Cli,
  program: Command,
  words: readonly string[],
): Promise<Suggestion[]> {
  const current = words.at(-1) ?? "";
  const { command, given, option } = walk(program, words.slice(0, -1));
  const all = option
    ? await valuesOf(cli, option.attributeName())
    : current.startsWith("-")
      ? optionsOf(command, program)
      : command.commands.length > 0
        ? namesOf(command)
        : await valuesOf(cli, argumentAt(command, given));
  return all.filter(({ word }) => word.startsWith(current));
}

/**
 * Finds the command that the words lead to, its number of arguments, and an option that lacks its
 * value.
 */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let given = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) {
      option = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const found = [...command.options, ...program.options].find(
        ({ short, long }) => short === word || long === word,
      );
      option = found?.required ? found : undefined;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) given += 1;
    else command = next;
  }
  return { command, given, option };
}

const namesOf = (command: Command): Suggestion[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ word: each.name(), about: each.description() }));

const optionsOf = (command: Command, program: Command): Suggestion[] =>
  [...command.options, ...(command === program ? [] : program.options)].flatMap(
    ({ long, description }) => (long ? [{ word: long, about: description }] : []),
  );

function argumentAt(command: Command, given: number): string {
  const { registeredArguments: known } = command;
  const argument = known[given] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
  return argument?.name() ?? "";
}

/** A shell must not wait long for a server that does not answer. */
const TIMEOUT_MS = 1_500;

async function valuesOf(cli: Cli, name: string): Promise<Suggestion[]> {
  const signal = AbortSignal.any([cli.io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const found: Suggestion[] = [];
  try {
    if (name === "shell") return ["bash", "zsh", "fish"].map((word) => ({ word, about: "" }));
    if (name === "profile") {
      const { profiles } = loadProfiles(cli.io);
      return Object.entries(profiles).map(([word, { url }]) => ({ word, about: url }));
    }
    const { admin } = cli.server();
    if (name === "stream") {
      for await (const each of admin.streams.list({ signal })) {
        found.push({ word: each.name, about: each.description });
      }
    }
    if (name === "subscription") {
      for await (const each of eachSubscription(cli, undefined)) {
        found.push({ word: `${each.stream}/${each.name}`, about: "" });
      }
    }
    if (name === "id") {
      for await (const each of admin.keys.list({ signal })) {
        found.push({ word: each.id, about: each.name });
      }
    }
  } catch {
    // Without a server there is nothing to suggest.
  }
  return found;
}
