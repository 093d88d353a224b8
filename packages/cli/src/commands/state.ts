import { resolve } from "node:path";
import type { Cli, RawEvent } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { createEventPrinter, lineOf } from "../output/event-lines.ts";
import { EXIT } from "../output/trouble.ts";
import { count, plural, quoted } from "../output/words.ts";
import type { Register } from "../register.ts";
import { rawData, sqlite } from "../sdk.ts";
import { nameTable, openDatabase, openTemporaryDatabase } from "../view/database.ts";
import { keepView } from "../view/keep-view.ts";

export function stateCommands({ program, act }: Register): void {
  program
    .command("state <stream> [key]")
    .description("show the current state of a key, or of all keys")
    .option("--key-prefix <text>", "only keys that begin with this")
    .option("--since <cursor>", "only keys that changed since a cursor, and deletions")
    .addHelpText(
      "after",
      `
With --since, the last line of stderr has the cursor for the next time.

Examples:
  $ el state orders order-1
  $ el state orders --key-prefix eu/ | jq .data
  $ el state orders --since "$CURSOR"`,
    )
    .action(
      act<StateFlags>((cli, [stream, key], { keyPrefix, since }) => {
        cli.about = { ...cli.about, stream };
        if (since !== undefined) {
          if (key !== undefined) throw new UsageError("--since lists keys, so name no key.");
          return changed(cli, stream, { since, keyPrefix });
        }
        return key === undefined ? all(cli, stream, keyPrefix) : one(cli, stream, key);
      }),
    );
  program
    .command("view <stream>")
    .description("keep an exact copy of the current state")
    .option("--sqlite <file>", "a database; a later run continues where this one ended")
    .option("--ndjson", "lines: the states, and then every change")
    .option("--key-prefix <text>", "only keys that begin with this")
    .option("-f, --follow", "stay, and keep the copy up to date")
    .addHelpText(
      "after",
      `
The database has a view with the name of the stream: key, sequence and value.

Examples:
  $ el view orders --sqlite orders.db
  $ el view orders --sqlite orders.db -f
  $ el view orders --ndjson -f`,
    )
    .action(act<ViewFlags>((cli, [stream], flags) => view(cli, stream, flags)));
}

type StateFlags = { keyPrefix?: string | undefined; since?: string };

/** Prints the last event of each key that changed since a cursor, deletions included. */
async function changed(
  cli: Cli,
  stream: string,
  { since, keyPrefix }: Required<Pick<StateFlags, "since">> & StateFlags,
): Promise<void> {
  const { admin } = cli.server();
  const printer = createEventPrinter(cli);
  let listed = 0;
  let query: Record<string, string | undefined> = { since };
  for (;;) {
    const text = await admin.streams.statesText(stream, { keyPrefix, ...query }, cli.io);
    const page = rawData(text) as { items: RawEvent[]; cursor: string | null; follow: string };
    const events = page.items.map((event) => ({ ...event, isDeletion: event.data === null }));
    await printer.print(events as RawEvent[]);
    listed += events.length;
    if (page.cursor === null) {
      if (listed === 0) await cli.out.note(`No key of ${stream} has changed since.`);
      // The cursor of a list with a prefix is refused without it.
      const prefix = keyPrefix === undefined ? "" : ` --key-prefix ${quoted(keyPrefix)}`;
      await cli.out.hint(`el state ${stream} --since ${page.follow}${prefix}`);
      return;
    }
    query = { cursor: page.cursor };
  }
}

/** Prints the last event of the key, even if it is not compacted yet. */
async function one(cli: Cli, name: string, key: string): Promise<void> {
  cli.about = { ...cli.about, key };
  const server = cli.server();
  const { signal } = cli.io;
  const pages = server.stream(name).readPages({ key, order: "desc", pageEvents: 1, signal });
  const found = await firstOf(pages);
  const state = found ?? (await server.state(name, key, signal));
  if (state === undefined || state.isDeletion) {
    const why = state === undefined ? "has no state" : "is deleted";
    throw new Failure(`The key ${JSON.stringify(key)} of ${name} ${why}.`, {
      help: `el read ${name} --key ${quoted(key)}`,
      exitCode: EXIT.notFound,
    });
  }
  await createEventPrinter(cli).print([state]);
}

async function firstOf(
  pages: AsyncGenerator<{ readonly events: readonly RawEvent[]; readonly caughtUp: boolean }>,
): Promise<RawEvent | undefined> {
  for await (const { events } of pages) if (events[0] !== undefined) return events[0];
  return undefined;
}

async function all(cli: Cli, stream: string, keyPrefix: string | undefined): Promise<void> {
  using database = await openTemporaryDatabase();
  const store = sqlite<RawEvent>(database, { encode: lineOf, decode: eventOf });
  const kept = keepView(cli, { stream, keyPrefix, store, toRow: (event) => event });
  const printer = createEventPrinter(cli);
  let listed = 0;
  try {
    await kept.ready();
    let page: RawEvent[] = [];
    const flush = async () => {
      await printer.print(page);
      listed += page.length;
      page = [];
    };
    for (const [, event] of kept.view.entries()) if (page.push(event) === PAGE) await flush();
    await flush();
  } finally {
    await kept.view.close();
  }
  if (listed === 0) await cli.out.note(`No key of ${stream} has a state.`);
}

const PAGE = 500;

function eventOf(line: string): RawEvent {
  const [event] = (rawData(`{"events":[${line}]}`) as { events: RawEvent[] }).events;
  if (event === undefined) throw new Error("the temporary database is damaged");
  return { ...event, isDeletion: false } as RawEvent;
}

type ViewFlags = { sqlite?: string; ndjson?: boolean; keyPrefix?: string; follow?: boolean };

async function view(cli: Cli, stream: string, flags: ViewFlags): Promise<void> {
  cli.about = { ...cli.about, stream };
  if ((flags.sqlite === undefined) === !flags.ndjson) {
    throw new UsageError("Choose where the copy goes: --sqlite FILE or --ndjson.");
  }
  await (flags.sqlite === undefined
    ? viewLines(cli, stream, flags)
    : viewDatabase(cli, stream, flags.sqlite, flags));
}

async function viewDatabase(
  cli: Cli,
  stream: string,
  file: string,
  { keyPrefix, follow = false }: ViewFlags,
): Promise<void> {
  using database = await openDatabase(resolve(cli.io.cwd, file));
  const store = sqlite<string>(database, { name: stream, encode: asIs, decode: asIs });
  const kept = keepView(cli, { stream, keyPrefix, store, toRow: ({ data }) => data?.text });
  try {
    await kept.ready();
    const rows = nameTable(database, stream);
    const { applied } = kept.view.progress;
    await cli.out.document({ stream, file, rows, applied, ready: true }, () => {
      return `${file} has ${plural(rows, "key")} of ${stream}.`;
    });
    if (!follow) {
      await cli.out.hint(`sqlite3 ${file} 'SELECT * FROM "${stream}" LIMIT 5'`);
      return;
    }
    await kept.follow(({ applied: now, lag }) => {
      const left = lag && lag.events > 0 ? `, ${count(lag.events)} to go` : "";
      return `${plural(now, "change")} applied${left}; Ctrl-C ends`;
    });
  } finally {
    await kept.view.close();
  }
}

const asIs = (text: string): string => text;

/** Prints the states once they are complete, and then a line for each change. */
async function viewLines(cli: Cli, stream: string, flags: ViewFlags): Promise<void> {
  using database = await openTemporaryDatabase();
  const store = sqlite<RawEvent>(database, { encode: lineOf, decode: eventOf });
  const { keyPrefix } = flags;
  const kept = keepView(cli, { stream, keyPrefix, store, toRow: (event) => event });
  try {
    await kept.ready();
    const changes = kept.view.changes();
    for (const [, event] of kept.view.entries()) await cli.out.text(`${lineOf(event)}\n`);
    if (!flags.follow) return;
    const states = () => kept.view.entries();
    for await (const line of kept.lines(changes, states)) await cli.out.text(`${line}\n`);
  } finally {
    await kept.view.close();
  }
}
