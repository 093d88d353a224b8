import type { Cli } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { EXIT } from "../output/trouble.ts";

export type SubscriptionName = { readonly stream: string; readonly name: string };

/** Finds `orders/shipping`, or `shipping` if only one stream has a subscription of that name. */
export async function findSubscription(cli: Cli, given: string): Promise<SubscriptionName> {
  const [stream = "", name, ...rest] = given.split("/");
  if (rest.length > 0 || stream === "" || name === "") {
    throw new UsageError(`A subscription is written as STREAM/NAME: "${given}".`, "el subs ls");
  }
  const found = name === undefined ? await search(cli, given) : { stream, name };
  cli.about = { ...cli.about, stream: found.stream, subscription: found.name };
  return found;
}

async function search(cli: Cli, name: string): Promise<SubscriptionName> {
  const { admin } = cli.server();
  const { signal } = cli.io;
  const found: string[] = [];
  for await (const stream of admin.streams.list({ signal })) {
    for await (const each of admin.subscriptions(stream.name).list({ signal })) {
      if (each.name === name) found.push(stream.name);
    }
  }
  const [stream, ...others] = found;
  if (stream !== undefined && others.length === 0) return { stream, name };
  if (stream === undefined) {
    throw new Failure(`No stream has a subscription "${name}".`, {
      help: "el subs ls",
      exitCode: EXIT.notFound,
    });
  }
  const names = found.map((each) => `${each}/${name}`).join(", ");
  throw new UsageError(`Several streams have a subscription "${name}": ${names}.`, "el subs ls");
}
