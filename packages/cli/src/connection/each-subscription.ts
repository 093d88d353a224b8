import type { Cli } from "../cli.ts";
import { Failure } from "../io.ts";
import { EXIT } from "../output/trouble.ts";
import { visible } from "../output/words.ts";
import type { ListedSubscription } from "../sdk.ts";

/**
 * Yields the subscriptions of all streams with their lags, or of one stream such as `orders`, or
 * the single one that a name such as `orders/shipping` means.
 */
export async function* eachSubscription(
  cli: Cli,
  given: string | undefined,
): AsyncGenerator<ListedSubscription, void, void> {
  const { admin } = cli.server();
  const { signal } = cli.io;
  const [stream, name] = given?.split("/") ?? [];
  if (stream !== undefined) {
    let found = 0;
    for await (const each of admin.subscriptions(stream).list({ stats: true, signal })) {
      if (name !== undefined && name !== each.name) continue;
      found += 1;
      yield each;
    }
    if (name === undefined || found > 0) return;
    const help = `el subs ls ${stream}`;
    throw new Failure(`There is no subscription ${given}.`, { help, exitCode: EXIT.notFound });
  } else {
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
