import { text } from "node:stream/consumers";
import type { Cli } from "../cli.ts";
import { findLocalStack } from "../connection/local-stack.ts";
import { loadProfiles, profilesFile, saveProfiles } from "../connection/profiles.ts";
import { assertSendable, normalise } from "../connection/target.ts";
import { Interrupted, UsageError } from "../io.ts";
import { plural } from "../output/words.ts";
import type { Register } from "../register.ts";
import { administer } from "../sdk.ts";

export function loginCommands({ program, act }: Register): void {
  program
    .command("login [url]")
    .description("save a server and its API key as a profile")
    .option("--name <profile>", "the name of the profile", "default")
    .addHelpText(
      "after",
      `
The key is asked for on a terminal. Elsewhere it is EVENTLEDGER_API_KEY or
standard input.

Examples:
  $ el login https://events.example.com --name production
  $ el login http://127.0.0.1:4000 < .eventledger/admin-key`,
    )
    .action(act<{ name: string }>(login));
  const profile = program.command("profile").description("list, choose and remove saved servers");
  profile
    .command("ls")
    .description("list the saved servers")
    .addHelpText("after", "\nExample:\n  $ el profile ls")
    .action(act(list));
  profile
    .command("use <profile>")
    .description("choose the server of the following commands")
    .addHelpText("after", "\nExample:\n  $ el profile use production")
    .action(
      act(async (cli, [name]) => {
        const { profiles } = known(cli, name);
        saveProfiles(cli.io, { current: name, profiles });
        const url = profiles[name]?.url;
        await cli.out.document({ name, url, current: true }, () => `Commands now use ${url}.`);
      }),
    );
  profile
    .command("rm <profile>")
    .description("remove a saved server and its key from this machine")
    .addHelpText("after", "\nExample:\n  $ el profile rm production")
    .action(
      act(async (cli, [name]) => {
        const { current, profiles } = known(cli, name);
        const { [name]: _, ...others } = profiles;
        saveProfiles(cli.io, {
          ...(current === name ? {} : { current }),
          profiles: others,
        });
        await cli.out.document({ name, status: "removed" }, () => `Removed the profile ${name}.`);
      }),
    );
}

async function login(
  cli: Cli,
  [given]: readonly (string | undefined)[],
  { name }: { name: string },
): Promise<void> {
  const { io, out, globals } = cli;
  const local = findLocalStack(io);
  const address = given ?? globals.url ?? io.env.EVENTLEDGER_URL ?? local?.url;
  if (address === undefined) throw new UsageError("Which server? el login URL");
  if (!/^[\w.-]{1,64}$/.test(name)) throw new UsageError(`"${name}" is not the name of a profile.`);
  const url = normalise(address, "the command");
  cli.about = { ...cli.about, url };
  const sources = [
    [globals.apiKey, "the flags"],
    [io.env.EVENTLEDGER_API_KEY, "the environment"],
    [local?.url === url ? local.apiKey : undefined, "the stack in this folder"],
  ] as const;
  const [apiKey, keyFrom] = sources.find(([key]) => key) ?? [await askKey(cli, url), "the input"];
  assertSendable(apiKey, keyFrom);
  const retry = { attempts: 2 };
  const caller = await administer({ url, apiKey, retry }).whoami({ signal: io.signal });
  const { profiles } = loadProfiles(io);
  saveProfiles(io, { current: name, profiles: { ...profiles, [name]: { url, apiKey } } });
  const { tenant, keyId, scopes } = caller;
  await out.document({ name, url, tenant, keyId, keyFrom, scopes }, () => {
    const key = `The key ${keyId}, from ${keyFrom}, may ${scopes.join(", ")}.`;
    return `Saved ${url} as ${name}.\n${key}`;
  });
  await out.hint("el streams ls");
}

async function askKey({ io }: Cli, url: string): Promise<string> {
  if (!io.stdin.isTTY) {
    const key = (await text(io.stdin)).trim();
    if (key !== "") return key;
    throw new UsageError("There is no key on standard input.", "el login URL < FILE");
  }
  const { isCancel, password } = await import("@clack/prompts");
  const key = await password({ message: `API key for ${url}`, output: process.stderr });
  if (isCancel(key)) throw new Interrupted();
  return key.trim();
}

function known(cli: Cli, name: string) {
  const saved = loadProfiles(cli.io);
  if (Object.hasOwn(saved.profiles, name)) return saved;
  throw new UsageError(`There is no profile "${name}".`, "el profile ls");
}

async function list(cli: Cli): Promise<void> {
  const { current, profiles } = loadProfiles(cli.io);
  const listed = Object.entries(profiles).map(([name, { url, apiKey }]) => ({
    name,
    url,
    hasKey: Boolean(apiKey),
    current: name === current,
  }));
  const shown = await cli.out.list(listed, {
    empty: "No server is saved.",
    columns: [
      { title: "", of: (each) => (each.current ? "*" : "") },
      { title: "PROFILE", of: (each) => each.name },
      { title: "SERVER", of: (each) => each.url, isElastic: true },
      { title: "KEY", of: ({ hasKey }) => (hasKey ? "saved" : "-") },
    ],
  });
  await cli.out.hint(
    shown === 0 ? "el login URL" : `${plural(shown, "profile")} in ${profilesFile(cli.io)}`,
  );
}
