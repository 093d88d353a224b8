import { listed, parseDuration } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { PortalScope } from "../sdk.ts";

export function portalCommands({ program, act }: Register): void {
  const portal = program.command("portal").description("give a customer a part of some streams");
  portal
    .command("token <stream...>")
    .description("make a token for a customer, and print the address of their page")
    .requiredOption("--key-prefix <text>", "only events whose keys begin with this")
    .option("--subscription <names>", "the subscriptions whose endpoint they may set", listed)
    .option("--scope <scopes>", "read, endpoints (default: read, with a subscription both)", listed)
    .option("--ttl <time>", "how long it is valid, at most 1d (default: 1h)")
    .addHelpText(
      "after",
      "\nExample:\n  $ el portal token orders --key-prefix acme/ --subscription acme --ttl 1h",
    )
    .action(act<TokenFlags>(token));
}

type TokenFlags = {
  keyPrefix: string;
  subscription?: string[];
  scope?: string[];
  ttl?: string;
};

const SCOPES: readonly string[] = ["read", "endpoints"];

async function token(
  cli: Cli,
  streams: readonly string[],
  { keyPrefix, subscription, scope, ttl }: TokenFlags,
): Promise<void> {
  const chosen = scope ?? (subscription === undefined ? ["read"] : SCOPES);
  const { admin, target } = cli.server();
  const made = await admin.createPortalToken(
    {
      streams,
      keyPrefix,
      subscriptions: subscription,
      scopes: chosen.map(asScope),
      ttlSeconds: ttl === undefined ? undefined : parseDuration(ttl, "--ttl") / 1_000,
    },
    { signal: cli.io.signal },
  );
  await cli.out.document(made, () =>
    renderFacts(cli.out, [
      ["token", cli.out.style("bold", made.token)],
      ["may", made.scopes.join(", ")],
      ["streams", made.streams.join(", ")],
      ["keys of events", keyPrefix === "" ? "all" : `${visible(keyPrefix)}...`],
      ["subscriptions", made.subscriptions.join(", ")],
      ["expires", relative(made.expiresAt, cli.io.now())],
      ["page", `${target.url}/portal#token=${made.token}`],
    ]),
  );
}

function asScope(text: string): PortalScope {
  if (SCOPES.includes(text)) return text as PortalScope;
  throw new UsageError(
    `"${text}" is not a scope of a portal token. Scopes are read and endpoints.`,
  );
}
