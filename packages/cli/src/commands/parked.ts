import { type Cli, confirm } from "../cli.ts";
import { findSubscription } from "../connection/subscription-name.ts";
import { Failure, UsageError } from "../io.ts";
import { explain } from "../output/trouble.ts";
import { count, plural, quoted, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";

export function parkedCommands({ program, act }: Register): void {
  const parked = program.command("parked").description("list, retry and skip parked keys");
  parked
    .command("ls <subscription>")
    .description("list the parked keys with their reasons")
    .addHelpText("after", "\nExample:\n  $ el parked ls orders/shipping")
    .action(act((cli, [given]) => list(cli, given)));
  parked
    .command("retry <subscription> [keys...]")
    .description("deliver the events of parked keys again")
    .option("--all", "all parked keys")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el parked retry orders/shipping order-7\n  $ el parked retry shipping --all",
    )
    .action(
      act<{ all?: boolean }>((cli, given, flags) =>
        release(cli, "retry", given, flags.all === true),
      ),
    );
  parked
    .command("skip <subscription> [keys...]")
    .description("give up the failed event of parked keys, and deliver the later ones")
    .option("--all", "all parked keys")
    .addHelpText("after", "\nExample:\n  $ el parked skip orders/shipping order-7 --yes")
    .action(
      act<{ all?: boolean }>((cli, given, flags) =>
        release(cli, "skip", given, flags.all === true),
      ),
    );
}

async function list(cli: Cli, given: string): Promise<void> {
  const { stream, name } = await findSubscription(cli, given);
  const subscriptions = cli.server().admin.subscriptions(stream);
  const now = cli.io.now();
  const listed = await cli.out.list(subscriptions.parked(name, { signal: cli.io.signal }), {
    empty: `${stream}/${name} has no parked keys.`,
    columns: [
      { title: "KEY", of: ({ key }) => visible(key), isElastic: true },
      { title: "SEQUENCE", of: ({ sequence }) => count(sequence), align: "right" },
      { title: "PARKED", of: ({ parkedAt }) => relative(parkedAt, now) },
      { title: "STATUS", of: ({ status, expired }) => (expired ? "expired" : status) },
      { title: "REASON", of: ({ reason }) => visible(reason) || "-", isElastic: true },
    ],
  });
  if (listed > 0) await cli.out.hint(`el parked retry ${stream}/${name} --all`);
}

type Released = { readonly key: string; readonly status: string; readonly error?: string };

async function release(
  cli: Cli,
  verb: "retry" | "skip",
  [given, ...keys]: readonly [string, ...string[]],
  all: boolean,
): Promise<void> {
  const chosen = keys.filter((key) => key !== undefined);
  if (all === chosen.length > 0) throw new UsageError("Name the keys, or use --all.");
  const { stream, name } = await findSubscription(cli, given);
  const subscriptions = cli.server().admin.subscriptions(stream);
  const { signal } = cli.io;
  const waiting = new Map<string, number>();
  for await (const { key, sequence } of subscriptions.parked(name, { signal })) {
    if (all || chosen.includes(key)) waiting.set(key, sequence);
  }
  const missing = chosen.filter((key) => !waiting.has(key));
  if (verb === "skip" && waiting.size > 0) {
    const question = `Skip the failed events of ${plural(waiting.size, "key")} for ever?`;
    if (!(await confirm(cli, question))) {
      await cli.out.note("Nothing was skipped.");
      return;
    }
  }
  let failed = missing.length;
  async function* results(): AsyncGenerator<Released> {
    for (const key of missing) yield { key, status: "failed", error: "is not parked" };
    for (const [key, sequence] of waiting) {
      try {
        const { status } =
          verb === "retry"
            ? await subscriptions.retry(name, key, { signal })
            : await subscriptions.skip(name, { key, sequence }, { signal });
        yield { key, status };
      } catch (error) {
        if (signal.aborted) throw error;
        failed += 1;
        yield { key, status: "failed", error: explain(error, cli.about).what };
      }
    }
  }
  await cli.out.list(results(), {
    empty: `${stream}/${name} has no parked keys.`,
    columns: [
      { title: "KEY", of: ({ key }) => visible(key), isElastic: true },
      {
        title: "STATUS",
        of: ({ status }) => status,
        style: ({ status }) => (status === "failed" ? "red" : "green"),
      },
      { title: "WHY", of: ({ error = "" }) => error, isElastic: true },
    ],
  });
  if (failed === 0) return;
  const help = `el parked ls ${quoted(`${stream}/${name}`)}`;
  throw new Failure(`${plural(failed, "key")} failed.`, { help });
}
