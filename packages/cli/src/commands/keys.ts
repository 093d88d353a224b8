import { listed, parseDuration } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { plural, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import { type ApiKey, type KeyScope, LedgerProblem, type NewApiKey } from "../sdk.ts";

export function keysCommands({ program, act }: Register): void {
  const keys = program.command("keys").description("list, create, rotate and revoke API keys");
  keys
    .command("ls")
    .description("list the API keys that have no more rights than yours")
    .addHelpText("after", "\nExample:\n  $ el keys ls")
    .action(act(list));
  keys
    .command("info <id>")
    .description("show an API key without its secret")
    .addHelpText("after", "\nExample:\n  $ el keys info 4k2m9x7q1p0c")
    .action(act((cli, [id]) => info(cli, id)));
  keys
    .command("create <name>")
    .description("create an API key; its secret is shown once")
    .requiredOption("--scope <scopes>", "publish, read, consume, operate, admin, audit", listed)
    .option("--stream <streams>", "names, beginnings such as billing.*, or * (default)", listed)
    .option("--subscription <names>", "only these subscriptions", listed)
    .option("--key-prefix <text>", "only events whose keys begin with this")
    .option("--expires <time>", "from now, at most 365d (default: 90d)")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el keys create shop --scope publish --stream orders\n  $ el keys create shipping --scope read,consume --json | jq -r .apiKey",
    )
    .action(act<CreateFlags>(create));
  keys
    .command("rotate <id>")
    .description("give an API key a new secret")
    .option("--overlap <time>", "how long the former secret still works (default: 1d)")
    .option("--expires <time>", "from now, at most 365d")
    .addHelpText("after", "\nExample:\n  $ el keys rotate 4k2m9x7q1p0c --overlap 1h")
    .action(act<{ overlap?: string; expires?: string }>(rotate));
  keys
    .command("rm <id>")
    .description("revoke an API key")
    .option("--cascade", "also revoke the keys that it has created")
    .addHelpText("after", "\nExample:\n  $ el keys rm 4k2m9x7q1p0c --cascade --yes")
    .action(act<{ cascade?: boolean }>(revoke));
}

type CreateFlags = {
  scope: string[];
  stream?: string[];
  subscription?: string[];
  keyPrefix?: string;
  expires?: string;
};

async function list(cli: Cli): Promise<void> {
  const { admin } = cli.server();
  const now = cli.io.now();
  const listed = await cli.out.list(admin.keys.list({ signal: cli.io.signal }), {
    empty: "There are no API keys besides the admin key.",
    columns: [
      { title: "ID", of: ({ id }) => id },
      { title: "NAME", of: ({ name }) => visible(name), isElastic: true },
      { title: "SCOPES", of: ({ scopes }) => scopes.join(","), isElastic: true },
      { title: "STREAMS", of: ({ streams }) => streams.join(","), isElastic: true },
      { title: "USED", of: ({ lastUsedAt }) => relative(lastUsedAt, now) },
      { title: "EXPIRES", of: ({ expiresAt }) => relative(expiresAt, now) },
    ],
  });
  if (listed === 0) await cli.out.hint("el keys create shop --scope publish --stream orders");
}

async function info(cli: Cli, id: string): Promise<void> {
  const key = await cli.server().admin.keys.get(id, { signal: cli.io.signal });
  await cli.out.document(key, () => describe(cli, key));
}

const describe = (cli: Cli, key: ApiKey, more: readonly (readonly [string, string])[] = []) => {
  const ago = (iso: string | null) => relative(iso, cli.io.now());
  return renderFacts(cli.out, [
    ...more,
    ["id", key.id],
    ["name", visible(key.name)],
    ["may", key.scopes.join(", ")],
    ["streams", key.streams.join(", ")],
    ["subscriptions", key.subscriptions?.join(", ")],
    ["keys of events", key.keyPrefix && `${visible(key.keyPrefix)}...`],
    ["created", `${ago(key.createdAt)} by ${key.createdBy}`],
    ["rotated", key.rotatedAt === null ? undefined : ago(key.rotatedAt)],
    ["last used", ago(key.lastUsedAt)],
    ["expires", ago(key.expiresAt)],
  ]);
};

async function create(
  cli: Cli,
  [name]: readonly [string, ...string[]],
  { scope, stream = ["*"], subscription, keyPrefix, expires }: CreateFlags,
): Promise<void> {
  const settings = {
    name,
    scopes: scope.map(asScope),
    streams: stream,
    subscriptions: subscription,
    keyPrefix,
    expiresAt: momentAfter(cli, expires),
  };
  const made = await cli.server().admin.keys.create(settings, { signal: cli.io.signal });
  await printSecret(cli, made);
}

const SCOPES: readonly string[] = ["publish", "read", "consume", "operate", "admin", "audit"];

function asScope(text: string): KeyScope {
  if (SCOPES.includes(text)) return text as KeyScope;
  throw new UsageError(`"${text}" is not a scope. Scopes are ${SCOPES.join(", ")}.`);
}

const momentAfter = (cli: Cli, time: string | undefined): string | undefined =>
  time && new Date(cli.io.now() + parseDuration(time, "--expires")).toISOString();

async function rotate(
  cli: Cli,
  [id]: readonly [string, ...string[]],
  { overlap, expires }: { overlap?: string; expires?: string },
): Promise<void> {
  const body = {
    overlapSeconds: overlap === undefined ? undefined : parseDuration(overlap, "--overlap") / 1_000,
    expiresAt: momentAfter(cli, expires),
  };
  const rotated = await cli.server().admin.keys.rotate(id, body, { signal: cli.io.signal });
  const until = relative(rotated.formerValidUntil, cli.io.now());
  await printSecret(cli, rotated, [["former key ends", until]]);
}

async function printSecret(
  cli: Cli,
  key: NewApiKey,
  more: readonly (readonly [string, string])[] = [],
): Promise<void> {
  const secret = ["key", cli.out.style("bold", key.apiKey)] as const;
  await cli.out.document(key, () => describe(cli, key, [secret, ...more]));
  await cli.out.hint("keep the key now: it is not shown again");
}

async function revoke(
  cli: Cli,
  [id]: readonly [string, ...string[]],
  { cascade = false }: { cascade?: boolean },
): Promise<void> {
  const { keys } = cli.server().admin;
  const { signal } = cli.io;
  // A key that is revoked already can still be named, to revoke what it has created.
  const key = await keys.get(id, { signal }).catch((error: unknown) => {
    if (cascade && error instanceof LedgerProblem && error.code === "api-key-not-found")
      return undefined;
    throw error;
  });
  const title = key === undefined ? id : `${id} (${visible(key.name)})`;
  const others = cascade ? " and the keys that it has created" : "";
  if (!(await confirm(cli, `Revoke the key ${title}${others}?`))) {
    await cli.out.note("Nothing was revoked.");
    return;
  }
  const made = cascade ? [] : await listMade(cli, id);
  const names = made.map(({ id: of, name }) => `${of} (${visible(name)})`).join(", ");
  const keysMade = plural(made.length, "key");
  const isOffered = made.length > 0 && !cli.globals.yes;
  const takesAll =
    cascade ||
    (isOffered && (await confirm(cli, `It has created ${keysMade}: ${names}. Revoke them too?`)));
  await keys.revoke(id, { cascade: takesAll, signal });
  await cli.out.document({ id, status: "revoked" }, () => {
    return `Revoked the key ${id}. It is refused everywhere after ${plural(30, "second")}.`;
  });
  if (made.length === 0 || takesAll) return;
  await cli.out.note(
    `It has created ${keysMade} that stay${made.length === 1 ? "s" : ""} valid: ${names}.`,
  );
  await cli.out.hint(`el keys rm ${id} --cascade`);
}

/** Returns the keys that a key has created itself. */
async function listMade(cli: Cli, id: string): Promise<ApiKey[]> {
  const made: ApiKey[] = [];
  for await (const key of cli.server().admin.keys.list({ signal: cli.io.signal })) {
    if (key.createdBy === id) made.push(key);
  }
  return made;
}
