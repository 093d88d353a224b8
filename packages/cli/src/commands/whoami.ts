import { renderFacts } from "../output/facts.ts";
import { count, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";

export function whoamiCommand({ program, act }: Register): void {
  program
    .command("whoami")
    .description("show the server, the API key and its rights")
    .addHelpText("after", "\nExample:\n  $ el whoami")
    .action(
      act(async (cli) => {
        const { admin, target } = cli.server();
        const caller = await admin.whoami({ signal: cli.io.signal });
        const { url, urlFrom, keyFrom } = target;
        await cli.out.document({ url, urlFrom, keyFrom, ...caller }, () =>
          renderFacts(cli.out, [
            ["server", `${url} (from ${urlFrom})`],
            ["key", `${caller.keyId}${keyFrom === undefined ? "" : ` (from ${keyFrom})`}`],
            ["tenant", caller.tenant],
            ["may", caller.scopes.join(", ")],
            ["streams", caller.streams.join(", ")],
            ["subscriptions", caller.subscriptions?.join(", ")],
            ["keys of events", caller.keyPrefix && `${visible(caller.keyPrefix)}...`],
            ["expires", caller.expiresAt && relative(caller.expiresAt, cli.io.now())],
            ["event", `up to ${count(caller.limits.eventBytesMax ?? 0)} bytes`],
            ["version", caller.version],
          ]),
        );
      }),
    );
}
