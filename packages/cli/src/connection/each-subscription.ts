import type { Cli } from "../cli.ts";
import { visible } from "../output/words.ts";
import type { ListedSubscription } from "../sdk.ts";

/** The subscriptions of one stream or of all, with their lags. */
export async function* eachSubscription(
  cli: Cli,
  stream: string | undefined,
): AsyncGenerator<ListedSubscription, void, void> {
  const { admin } = cli.server();
  const { signal } = cli.io;
  if (stream !== undefined) yield* admin.subscriptions(stream).list({ stats: true, signal });
  else {
    for await (const { name } of admin.streams.list({ signal })) {
      yield* admin.subscriptions(name).list({ stats: true, signal });
    }
  }
}

export function describeFilter(filter: ListedSubscription["filter"]): string {
  const { types = [], keyPrefix, headers = {} } = filter ?? {};
  const parts = [
    types.length > 0 ? types.join(" or ") : "",
    keyPrefix === undefined ? "" : `keys ${keyPrefix}...`,
    ...Object.entries(headers).map(([name, value]) => `${name}=${value}`),
  ].filter((part) => part !== "");
  return visible(parts.join(", ")) || "-";
}
