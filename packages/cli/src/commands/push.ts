import { counted, parsePlace } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { findSubscription } from "../connection/subscription-name.ts";
import { Failure, UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { count, plural, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { Push, PushAttempt } from "../sdk.ts";

export function pushCommands({ program, act }: Register): void {
  const push = program.command("push").description("send a subscription's events to an endpoint");
  push
    .command("set <subscription> <url>")
    .description("set the endpoint; the secret of a new push is shown once")
    .option("--format <format>", "standard (default) or cloudevents")
    .option("--concurrency <n>", "how many keys at the same time", counted("--concurrency"))
    .option("--timeout <seconds>", "how long an answer may take", counted("--timeout"))
    .addHelpText("after", "\nExample:\n  $ el push set orders/shop https://shop.example/hook")
    .action(act<SetFlags>(set));
  push
    .command("get <subscription>")
    .description("show the endpoint and how the pushing goes")
    .addHelpText("after", "\nExample:\n  $ el push get orders/shop")
    .action(act((cli, [given]) => get(cli, given)));
  push
    .command("enable <subscription>")
    .description("go on, and try a failing endpoint now")
    .addHelpText("after", "\nExample:\n  $ el push enable orders/shop")
    .action(act((cli, [given]) => turn(cli, given, "enable")));
  push
    .command("disable <subscription>")
    .description("stop sending; the position is kept")
    .addHelpText("after", "\nExample:\n  $ el push disable orders/shop")
    .action(act((cli, [given]) => turn(cli, given, "disable")));
  push
    .command("test <subscription>")
    .description("send a test event that is not in the stream")
    .addHelpText("after", "\nExample:\n  $ el push test orders/shop")
    .action(act((cli, [given]) => test(cli, given)));
  push
    .command("rotate <subscription>")
    .description("make a new secret; the former one signs for a day as well")
    .addHelpText("after", "\nExample:\n  $ el push rotate orders/shop --json | jq -r .secret")
    .action(act((cli, [given]) => rotate(cli, given)));
  push
    .command("deliveries <subscription>")
    .description("list the failed deliveries of the last 7 days")
    .addHelpText("after", "\nExample:\n  $ el push deliveries orders/shop")
    .action(act((cli, [given]) => deliveries(cli, given)));
  push
    .command("replay <subscription> [from]")
    .description("send everything from earliest (default) or a time on once more")
    .addHelpText("after", "\nExample:\n  $ el push replay orders/shop -15m")
    .allowUnknownOption()
    .action(act((cli, [given, from]) => replay(cli, given, from)));
  push
    .command("resend <subscription> <key> <sequence>")
    .description("send an event of the stream once more")
    .addHelpText("after", "\nExample:\n  $ el push resend orders/shop order-7 12")
    .action(act(resend));
  push
    .command("rm <subscription>")
    .alias("delete")
    .description("end a push; the subscription and its position stay")
    .addHelpText("after", "\nExample:\n  $ el push rm orders/shop --yes")
    .action(act((cli, [given]) => remove(cli, given)));
}

type SetFlags = { format?: string; concurrency?: number; timeout?: number };

/** Returns the requests of a push, and how it is named in messages. */
async function find(cli: Cli, given: string) {
  const { stream, name } = await findSubscription(cli, given);
  const pushes = cli.server().admin.pushes(stream);
  return { pushes, name, title: `${stream}/${name}`, how: { signal: cli.io.signal } };
}

async function set(
  cli: Cli,
  [given, url]: readonly [string, string, ...string[]],
  { format, concurrency, timeout }: SetFlags,
): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  const settings = { url, format: asFormat(format), concurrency, timeoutSeconds: timeout };
  const push = await pushes.set(name, settings, how);
  await show(cli, title, push);
  if (!("secret" in push)) await cli.out.hint(`el push test ${title}`);
}

function asFormat(text: string | undefined): Push["format"] | undefined {
  if (text === undefined || text === "standard" || text === "cloudevents") return text;
  throw new UsageError(`"${text}" is no format. It can be standard or cloudevents.`);
}

async function get(cli: Cli, given: string): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  await show(cli, title, await pushes.get(name, how));
}

async function turn(cli: Cli, given: string, verb: "enable" | "disable"): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  const push = await pushes[verb](name, how);
  await cli.out.document(push, () => `The push of ${title} is ${push.status}.`);
}

async function replay(cli: Cli, given: string, from = "earliest"): Promise<void> {
  const place = parsePlace(from, cli.io.now());
  const { pushes, name, title, how } = await find(cli, given);
  if (!(await confirm(cli, `Send everything of ${title} from ${from} on once more?`))) {
    await cli.out.note("Nothing is sent again.");
    return;
  }
  const push = await pushes.replay(name, place, how);
  await cli.out.document(
    push,
    () => `The push of ${title} sends everything from ${from} on again.`,
  );
}

async function rotate(cli: Cli, given: string): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  await show(cli, title, await pushes.rotate(name, how));
}

async function show(cli: Cli, title: string, push: Push & { secret?: string }): Promise<void> {
  const now = cli.io.now();
  const { secret, failingSince, nextAttemptAt } = push;
  await cli.out.document(push, () =>
    renderFacts(cli.out, [
      ["secret", secret && cli.out.style("bold", secret)],
      ["subscription", title],
      ["endpoint", visible(push.url)],
      ["status", describeStatus(push)],
      ["failing since", failingSince && relative(failingSince, now)],
      ["next attempt", nextAttemptAt && relative(nextAttemptAt, now)],
      ["remedy", push.remedy],
      ["retrying", push.retryingKeys === 0 ? undefined : plural(push.retryingKeys, "key")],
      ["given up", push.givenUpKeys === 0 ? undefined : plural(push.givenUpKeys, "key")],
      ["format", push.format],
      ["at once", plural(push.concurrency, "key")],
      ["timeout", `${push.timeoutSeconds}s`],
    ]),
  );
  if (secret !== undefined) await cli.out.hint("keep the secret now: it is not shown again");
  else if (push.givenUpKeys > 0) await cli.out.hint(`el parked ls ${title}`);
  else if (push.retryingKeys > 0) await cli.out.hint(`el push deliveries ${title}`);
}

const describeStatus = ({ status, disabledBecause }: Push): string =>
  disabledBecause === undefined ? status : `${status} (${disabledBecause})`;

async function test(cli: Cli, given: string): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  await report(cli, title, await pushes.test(name, how));
}

async function resend(
  cli: Cli,
  [given, key, text = ""]: readonly [string, string, ...string[]],
): Promise<void> {
  const sequence = Number(text);
  if (!Number.isSafeInteger(sequence) || sequence < 1) {
    throw new UsageError(`"${text}" is no sequence of an event.`);
  }
  const { pushes, name, title, how } = await find(cli, given);
  await report(cli, title, await pushes.resend(name, { key, sequence }, how));
}

/** Prints what an endpoint said. Fails when it did not accept the event. */
async function report(cli: Cli, title: string, attempt: PushAttempt): Promise<void> {
  const { delivered, status, error, answer = "" } = attempt;
  const said = status === undefined ? (error ?? "No answer.") : `The endpoint answered ${status}.`;
  await cli.out.document(attempt, () => [said, visible(answer)].filter(Boolean).join("\n"));
  if (delivered) return;
  throw new Failure("The event was not accepted.", { help: `el push get ${title}` });
}

async function deliveries(cli: Cli, given: string): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  const now = cli.io.now();
  await cli.out.list(pushes.deliveries(name, how), {
    empty: `No delivery of ${title} has failed in the last 7 days.`,
    columns: [
      { title: "AT", of: ({ at }) => relative(at, now) },
      { title: "KEY", of: ({ key }) => visible(key), isElastic: true },
      { title: "SEQUENCE", of: ({ sequence }) => count(sequence), align: "right" },
      { title: "TRY", of: ({ attempt }) => count(attempt), align: "right" },
      {
        title: "ANSWER",
        of: ({ status, error = "" }) => (status === undefined ? error : String(status)),
        isElastic: true,
      },
      { title: "NEXT", of: ({ nextAttemptAt }) => relative(nextAttemptAt, now) },
    ],
  });
}

async function remove(cli: Cli, given: string): Promise<void> {
  const { pushes, name, title, how } = await find(cli, given);
  const { url } = await pushes.get(name, how);
  if (!(await confirm(cli, `End the push of ${title} to ${visible(url)}?`))) {
    await cli.out.note("Nothing was ended.");
    return;
  }
  await pushes.delete(name, how);
  await cli.out.document({ subscription: title, status: "ended" }, () => {
    return `Ended the push of ${title}. Its position is kept.`;
  });
}
