import { counted, fieldsByType, listed, paired, parsePlace, placeInBody } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { describeFilter, eachSubscription } from "../connection/each-subscription.ts";
import { findSubscription } from "../connection/subscription-name.ts";
import { UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { renderTable } from "../output/table.ts";
import { count, duration, plural, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { NewSubscription, SubscriptionView } from "../sdk.ts";
import { lagCommand } from "./subs-lag.ts";
import { seekCommand } from "./subs-seek.ts";

export function subsCommands({ program, act }: Register): void {
  const subs = program.command("subs").description("list, create, change and move subscriptions");
  subs
    .command("ls [stream]")
    .description("list the subscriptions of a stream, or of all streams")
    .addHelpText("after", "\nExamples:\n  $ el subs ls\n  $ el subs ls orders")
    .action(act((cli, [stream]) => list(cli, stream)));
  subs
    .command("info <subscription>")
    .description("show a subscription: its lag, workers and parked keys")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el subs info orders/shipping\n  $ el subs info shipping",
    )
    .action(act((cli, [given]) => info(cli, given)));
  settings(subs.command("create <subscription>"))
    .description("create a subscription; again with the same settings changes nothing")
    .option("--start <place>", "earliest (default), latest, bootstrap, or a place as in `el read`")
    .option("--since <cursor>", "start at the states that changed since a cursor, then the log")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el subs create orders/shipping\n  $ el subs create orders/billing --start bootstrap --type order.paid",
    )
    .action(act<Flags & Begin>(create));
  settings(subs.command("set <subscription>"))
    .description("change the settings of a subscription")
    .option("--no-filter", "remove the filter")
    .option("--no-max-deliveries", "no longer park keys by itself")
    .option("--no-reads", "remove the fields that the consumer reads")
    .addHelpText("after", "\nExample:\n  $ el subs set orders/shipping --max-deliveries 5")
    .action(act<Flags>(change));
  subs
    .command("rm <subscription>")
    .description("delete a subscription and its position")
    .addHelpText("after", "\nExample:\n  $ el subs rm orders/shipping --yes")
    .action(act((cli, [given]) => remove(cli, given)));
  seekCommand(subs, act);
  lagCommand(subs, act);
}

type Flags = {
  type?: string[];
  keyPrefix?: string;
  header?: Record<string, string>;
  leaseSeconds?: number;
  maxDeliveries?: number | false;
  reads?: Record<string, string[]> | false;
  filter?: boolean;
};

/** Where a new subscription starts: at a place, or at what changed since a cursor. */
type Begin = { start?: string; since?: string };

const settings = (command: ReturnType<Register["program"]["command"]>) =>
  command
    .option("--type <types>", "only events of these types", listed)
    .option("--key-prefix <text>", "only events whose keys begin with this")
    .option("--header <name=value>", "only events with this header", paired)
    .option(
      "--lease-seconds <n>",
      "how long a worker may be silent, in seconds (default: 30)",
      counted("--lease-seconds"),
    )
    .option(
      "--max-deliveries <n>",
      "park the key of an event after this many deliveries",
      counted("-", 2),
    )
    .option(
      "--reads <type=fields>",
      "fields that the consumer reads, such as order.placed=/total,/lines/*/sku",
      fieldsByType,
    );

const filterOf = ({ type, keyPrefix, header }: Flags): NewSubscription["filter"] =>
  type === undefined && keyPrefix === undefined && header === undefined
    ? undefined
    : { types: type, keyPrefix, headers: header };

async function list(cli: Cli, stream: string | undefined): Promise<void> {
  cli.about = { ...cli.about, stream };
  const listed = await cli.out.list(eachSubscription(cli, stream), {
    empty: stream === undefined ? "There are no subscriptions." : `${stream} has no subscriptions.`,
    columns: [
      { title: "SUBSCRIPTION", of: (each) => `${each.stream}/${each.name}`, isElastic: true },
      { title: "LAG", of: ({ lag }) => (lag ? count(lag.events) : "-"), align: "right" },
      { title: "OLDEST", of: ({ lag }) => (lag?.events ? duration(lag.seconds) : "-") },
      {
        title: "PARKED",
        of: ({ parkedKeys = 0 }) => (parkedKeys === 0 ? "-" : count(parkedKeys)),
        align: "right",
        style: ({ parkedKeys = 0 }) => (parkedKeys > 0 ? "yellow" : undefined),
      },
      { title: "PHASE", of: ({ phase }) => phase ?? "-" },
      { title: "FILTER", of: ({ filter }) => describeFilter(filter), isElastic: true },
    ],
  });
  if (listed === 0) await cli.out.hint(`el subs create ${stream ?? "orders"}/shipping`);
}

async function info(cli: Cli, given: string): Promise<void> {
  const { stream, name } = await findSubscription(cli, given);
  const found = await cli.server().admin.subscriptions(stream).get(name, { signal: cli.io.signal });
  const text = cli.out.isHuman ? await describe(cli, found) : "";
  await cli.out.document(found, () => text);
  if (found.parkedKeys > 0) await cli.out.hint(`el parked ls ${stream}/${name}`);
}

async function describe(cli: Cli, found: SubscriptionView): Promise<string> {
  const { lag, keysBehind, snapshot, members, maxDeliveries, start } = found;
  const keys = keysBehind === null ? "" : ` of ${plural(keysBehind, "key")}`;
  const oldest = lag.events > 0 ? `, the oldest ${duration(lag.seconds)} old` : "";
  const progress = snapshot ? `, ${snapshot.partsRead} of ${plural(snapshot.parts, "part")}` : "";
  const facts = renderFacts(cli.out, [
    ["subscription", `${found.stream}/${found.name}`],
    ["lag", `${plural(lag.events, "event")}${keys}${oldest}`],
    ["phase", `${found.phase}${progress}`],
    ["parked keys", count(found.parkedKeys)],
    ["filter", found.filter && describeFilter(found.filter)],
    ["reads", found.reads && describeReads(found.reads)],
    ["started at", typeof start === "string" ? start : JSON.stringify(start)],
    ["lease", `${found.leaseSeconds}s`],
    ["max deliveries", maxDeliveries === undefined ? undefined : count(maxDeliveries)],
    ["created", relative(found.createdAt, cli.io.now())],
    ...found.warnings.map((warning) => ["warning", warning] as const),
  ]);
  if (members.length === 0) return facts;
  const workers = await renderTable(members, {
    width: cli.out.columns,
    style: cli.out.style,
    columns: [
      { title: "WORKER", of: ({ consumer }) => consumer, isElastic: true },
      { title: "SHARE", of: ({ share }) => `${Math.round(share * 100)} %`, align: "right" },
      { title: "LEASE ENDS", of: ({ until }) => relative(until, cli.io.now()) },
    ],
  });
  return `${facts}\n\n${workers}`;
}

const describeReads = (reads: NonNullable<SubscriptionView["reads"]>): string =>
  Object.entries(reads)
    .map(([type, fields]) => `${visible(type)} ${fields.map(visible).join(", ")}`)
    .join("; ");

async function create(
  cli: Cli,
  [given]: readonly [string, ...string[]],
  { start, since, leaseSeconds, maxDeliveries, reads, ...filter }: Flags & Begin,
): Promise<void> {
  if (start !== undefined && since !== undefined) {
    throw new UsageError("Name a start, or a cursor with --since.");
  }
  const { stream, name } = asPair(given);
  cli.about = { ...cli.about, stream, subscription: name, isNew: true };
  const { admin, lastStatus } = cli.server();
  const body: NewSubscription = {
    start: since === undefined ? start && placeInBody(parsePlace(start, cli.io.now())) : { since },
    filter: filterOf(filter),
    leaseSeconds,
    maxDeliveries: maxDeliveries || undefined,
    reads: reads || undefined,
  };
  const how = { signal: cli.io.signal };
  const created = await admin.subscriptions(stream).create(name, body, how);
  const isNew = lastStatus() === 201;
  await cli.out.document(created, () =>
    isNew
      ? `Created the subscription ${stream}/${name}.`
      : `The subscription ${stream}/${name} already existed.`,
  );
  await cli.out.hint(`el subs info ${stream}/${name}`);
}

/** A new subscription must name its stream. */
function asPair(given: string): { stream: string; name: string } {
  const [stream, name, ...rest] = given.split("/");
  if (stream && name && rest.length === 0) return { stream, name };
  throw new UsageError(`A subscription is written as STREAM/NAME: "${given}".`);
}

async function change(
  cli: Cli,
  [given]: readonly [string, ...string[]],
  flags: Flags,
): Promise<void> {
  const { stream, name } = await findSubscription(cli, given);
  const filter = filterOf(flags);
  const body = {
    leaseSeconds: flags.leaseSeconds,
    maxDeliveries: flags.maxDeliveries === false ? null : flags.maxDeliveries,
    filter: flags.filter === false ? null : filter,
    reads: flags.reads === false ? null : flags.reads,
  };
  if (Object.values(body).every((value) => value === undefined)) {
    throw new UsageError("Nothing to change.");
  }
  const how = { signal: cli.io.signal };
  const changed = await cli.server().admin.subscriptions(stream).change(name, body, how);
  await cli.out.document(changed, () => `Changed the subscription ${stream}/${name}.`);
  for (const warning of changed.warnings)
    if (cli.out.isHuman) await cli.out.note(`note   ${warning}`);
}

async function remove(cli: Cli, given: string): Promise<void> {
  const { stream, name } = await findSubscription(cli, given);
  const subscriptions = cli.server().admin.subscriptions(stream);
  const { signal } = cli.io;
  const { lag } = await subscriptions.get(name, { signal });
  const question = `Delete the subscription ${stream}/${name}, ${plural(lag.events, "event")} before its end?`;
  if (!(await confirm(cli, question))) {
    await cli.out.note("Nothing was deleted.");
    return;
  }
  await subscriptions.delete(name, { signal });
  await cli.out.document({ stream, name, status: "deleted" }, () => {
    return `Deleted the subscription ${stream}/${name}.`;
  });
}
