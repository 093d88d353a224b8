import type { Command } from "commander";
import { parseCount } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { count } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { TenantQuota } from "../sdk.ts";

export function quotaCommands({ program, act }: Register): void {
  const quota = program.command("quota").description("show, set and remove limits of use");
  subject(quota.command("show"))
    .description("show the limits of an API key or a tenant")
    .addHelpText("after", "\nExamples:\n  $ el quota show --tenant acme")
    .action(act<Subject>((cli, _, of) => show(cli, of)));
  limits(subject(quota.command("set")))
    .description("change limits; the others stay as they are")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el quota set --key 4k2m9x7q1p0c --events 500\n  $ el quota set --tenant acme --requests 1000 --streams none",
    )
    .action(act<Subject & Flags>((cli, _, flags) => set(cli, flags)));
  subject(quota.command("rm"))
    .description("remove all limits of an API key or a tenant")
    .addHelpText("after", "\nExample:\n  $ el quota rm --tenant acme --yes")
    .action(act<Subject>((cli, _, of) => remove(cli, of)));
}

type Subject = { key?: string | undefined; tenant?: string | undefined };
type Limit = number | "none";
type Flags = {
  requests?: Limit;
  events?: Limit;
  bytes?: Limit;
  streams?: Limit;
  subscriptions?: Limit;
  storedBytes?: Limit;
};

const subject = (command: Command): Command =>
  command
    .option("--key <id>", "an API key")
    .option("--tenant <name>", "a tenant, with the admin key");

const limit =
  (option: string) =>
  (text: string): Limit =>
    text === "none" ? "none" : parseCount(text, option);

const limits = (command: Command): Command =>
  command
    .option("--requests <n>", "requests a second, or none", limit("--requests"))
    .option("--events <n>", "published events a second", limit("--events"))
    .option("--bytes <n>", "published bytes a second", limit("--bytes"))
    .option("--streams <n>", "streams of a tenant", limit("--streams"))
    .option("--subscriptions <n>", "subscriptions of a tenant", limit("--subscriptions"))
    .option("--stored-bytes <n>", "what a tenant may store", limit("--stored-bytes"));

/** Returns the requests for the limits of a key or a tenant, and its name in messages. */
function find(cli: Cli, { key, tenant }: Subject) {
  if ((key === undefined) === (tenant === undefined)) {
    throw new UsageError("Name either a key with --key, or a tenant with --tenant.");
  }
  const { quotas } = cli.server().admin;
  const how = { signal: cli.io.signal };
  return key === undefined
    ? {
        title: `the tenant ${tenant}`,
        get: () => quotas.ofTenant(tenant ?? "", how),
        set: (to: TenantQuota) => quotas.setOfTenant(tenant ?? "", to, how),
      }
    : {
        title: `the key ${key}`,
        get: (): Promise<TenantQuota> => quotas.ofKey(key, how),
        set: (to: TenantQuota): Promise<TenantQuota> => quotas.setOfKey(key, to, how),
      };
}

async function show(cli: Cli, of: Subject): Promise<void> {
  const { title, get } = find(cli, of);
  await print(cli, title, await get());
}

async function print(cli: Cli, title: string, quota: TenantQuota): Promise<void> {
  const shown = (value: number | undefined) => (value === undefined ? undefined : count(value));
  await cli.out.document(quota, () =>
    Object.keys(quota).length === 0
      ? `No limits are set for ${title}.`
      : renderFacts(cli.out, [
          ["limits of", title],
          ["requests/s", shown(quota.requestsPerSecond)],
          ["events/s", shown(quota.eventsPerSecond)],
          ["bytes/s", shown(quota.bytesPerSecond)],
          ["streams", shown(quota.streams)],
          ["subscriptions", shown(quota.subscriptions)],
          ["stored bytes", shown(quota.storedBytes)],
        ]),
  );
}

async function set(cli: Cli, { key, tenant, ...flags }: Subject & Flags): Promise<void> {
  const asked: Readonly<Record<keyof TenantQuota, Limit | undefined>> = {
    requestsPerSecond: flags.requests,
    eventsPerSecond: flags.events,
    bytesPerSecond: flags.bytes,
    streams: flags.streams,
    subscriptions: flags.subscriptions,
    storedBytes: flags.storedBytes,
  };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new UsageError("Nothing to change.");
  const { title, get, set: put } = find(cli, { key, tenant });
  const changed: [string, Limit | undefined][] = Object.entries({
    ...(await get()),
    ...Object.fromEntries(given),
  });
  const kept = Object.fromEntries(changed.filter(([, value]) => value !== "none"));
  await print(cli, title, await put(kept));
  await cli.out.hint("every server follows within a minute");
}

async function remove(cli: Cli, of: Subject): Promise<void> {
  const { title, set: put } = find(cli, of);
  if (!(await confirm(cli, `Remove all limits of ${title}?`))) {
    await cli.out.note("Nothing was removed.");
    return;
  }
  await print(cli, title, await put({}));
}
