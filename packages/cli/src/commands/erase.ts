import { type Cli, confirm } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { count, plural, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { Erasure } from "../sdk.ts";

export function eraseCommands({ program, act }: Register): void {
  program
    .command("erase <stream> <key>")
    .description("take the data of a key out of everything that is stored")
    .option("--reason <text>", "why, for the receipt and the audit stream")
    .addHelpText(
      "after",
      '\nExample:\n  $ el erase orders customer-17 --reason "request 4711" --yes',
    )
    .action(
      act<{ reason?: string }>((cli, [name, key = ""], flags) => erase(cli, name, key, flags)),
    );
  program
    .command("erasures <stream> [id]")
    .description("list the erasures of a stream, or show one and who has passed it")
    .option("--verify", "look for what is left of the data")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el erasures orders\n  $ el erasures orders 019a --verify",
    )
    .action(
      act<{ verify?: boolean }>((cli, [name, id], { verify: isAsked = false }) => {
        cli.about = { ...cli.about, stream: name };
        if (id !== undefined) return isAsked ? verify(cli, name, id) : show(cli, name, id);
        if (isAsked) throw new UsageError("--verify needs the id of an erasure.");
        return list(cli, name);
      }),
    );
}

async function erase(
  cli: Cli,
  name: string,
  key: string,
  { reason }: { readonly reason?: string },
): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  if (reason === undefined) throw new UsageError("An erasure needs a --reason.");
  const { erasures } = cli.server().admin.streams;
  const asked = `Erase the data of all events of ${visible(key)} in ${name}? It cannot come back.`;
  if (!(await confirm(cli, asked))) {
    await cli.out.note("Nothing was erased.");
    return;
  }
  const made = await erasures.create(name, { key, reason }, { signal: cli.io.signal });
  await cli.out.document(made, () => {
    const state = made.status === "done" ? "Erased" : "Erasing";
    return `${state} ${visible(key)} of ${name}, as ${made.id}.`;
  });
  await cli.out.hint(`el erasures ${name} ${made.id}`);
}

async function list(cli: Cli, name: string): Promise<void> {
  const now = cli.io.now();
  const erasures = cli.server().admin.streams.erasures.list(name, { signal: cli.io.signal });
  await cli.out.list(erasures, {
    empty: `${name} has no erasures.`,
    columns: [
      { title: "ID", of: ({ id }) => id },
      { title: "BEGAN", of: ({ createdAt }) => relative(createdAt, now) },
      { title: "STATUS", of: ({ status }) => status },
      { title: "KEY", of: ({ key }) => visible(key), isElastic: true },
    ],
  });
}

async function show(cli: Cli, name: string, id: string): Promise<void> {
  const { erasures } = cli.server().admin.streams;
  const found = await erasures.get(name, id, { signal: cli.io.signal });
  await cli.out.document(found, () => renderFacts(cli.out, factsOf(found, cli.io.now())));
  await cli.out.hint(`el erasures ${name} ${id} --verify`);
}

function factsOf(found: Erasure, now: number): [string, string | undefined][] {
  const { subscriptions, sequence } = found;
  const { passed, waiting } = subscriptions;
  const more = subscriptions.more ? ", and perhaps more" : "";
  return [
    ["erasure", found.id],
    ["key", visible(found.key)],
    ["reason", visible(found.reason)],
    ["status", found.status],
    ["tombstone", sequence === undefined ? undefined : `number ${count(sequence)}`],
    ["began", relative(found.createdAt, now)],
    ["can be done", found.doneFrom && relative(found.doneFrom, now)],
    ["done", found.doneAt && relative(found.doneAt, now)],
    ["passed by", plural(passed, "subscription")],
    ["waits for", waiting.length === 0 ? undefined : `${waiting.join(", ")}${more}`],
  ];
}

async function verify(cli: Cli, name: string, id: string): Promise<void> {
  const { erasures } = cli.server().admin.streams;
  let [batches, segments, erasedEvents] = [0, 0, 0];
  for (let cursor: string | undefined; ; ) {
    const found = await erasures.verify(name, id, cursor, { signal: cli.io.signal });
    batches += found.batches;
    segments += found.segments;
    erasedEvents += found.erasedEvents;
    const leak = found.found;
    const result = { stream: name, id, batches, segments, erasedEvents, found: leak };
    if (leak !== null) {
      if (!cli.out.isHuman) await cli.out.document(result, () => "");
      throw new Failure(`Event ${count(leak.sequence)} in the ${leak.where} still has its data.`, {
        help: `el erasures ${name} ${id}`,
      });
    }
    if (found.cursor === null) {
      await cli.out.document(result, () => {
        const read = `${plural(batches, "row")} and ${plural(segments, "segment")}`;
        return `Nothing is left: ${read} read, ${plural(erasedEvents, "erased event")} in them.`;
      });
      return;
    }
    cursor = found.cursor;
    await cli.out.progress(`${name}  ${count(batches)} batches read`);
  }
}
