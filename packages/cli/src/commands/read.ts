import { counted, parsePlace, parseStart } from "../arguments.ts";
import type { Cli, RawStream } from "../cli.ts";
import { UsageError } from "../io.ts";
import { createEventPrinter } from "../output/event-lines.ts";
import type { Register } from "../register.ts";

export type ReadFlags = {
  from?: string;
  until?: string;
  key?: string;
  keyPrefix?: string;
  type?: string;
  events?: number;
  follow?: boolean;
  reverse?: boolean;
};

const PLACES = `
Places:
  earliest, latest          the ends of the stream
  -20                       the last 20 events
  -15m, -2h, -7d            a time ago
  2026-11-29, 2026-11-29T08:00:00Z
  1042                      a sequence, on a stream with one partition
  a cursor                  from a receipt or a page`;

export function readCommands({ program, act }: Register): void {
  program
    .command("read <stream>")
    .description("read the events of a stream")
    .option("--from <place>", "where reading starts (default: earliest)")
    .option("--until <place>", "where reading ends")
    .option("--key <key>", "only events of this key")
    .option("--key-prefix <text>", "only events whose keys begin with this")
    .option("--type <type>", "only events of this type")
    .option("-n, --events <n>", "stop after this many events", counted("-n"))
    .option("-r, --reverse", "newest first")
    .option("-f, --follow", "wait for further events at the end")
    .addHelpText(
      "after",
      `${PLACES}

Examples:
  $ el read orders --from -20
  $ el read orders --from -15m --type order.paid
  $ el read orders --key order-1 --json
  $ el read orders -f | jq --unbuffered .data.total`,
    )
    .action(act<ReadFlags>((cli, [name], flags) => read(cli, name, flags)));
  program
    .command("tail <stream>")
    .description("show the last events, and wait for further ones")
    .option("--key <key>", "only events of this key")
    .option("--key-prefix <text>", "only events whose keys begin with this")
    .option("--type <type>", "only events of this type")
    .option("-n, --events <n>", "how many of the last events (default: 10)", counted("-n", 0))
    .addHelpText("after", "\nExample:\n  $ el tail orders -n 3")
    .action(
      act<ReadFlags>((cli, [name], { events = 10, ...filter }) => {
        const from = events === 0 ? "latest" : `-${events}`;
        return read(cli, name, { ...filter, from, follow: true });
      }),
    );
}

async function read(cli: Cli, name: string, flags: ReadFlags): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  const { signal, now } = cli.io;
  const { key, keyPrefix, type, follow, reverse } = flags;
  if (reverse && follow) throw new UsageError("--reverse and --follow exclude each other.");
  const stream = cli.server().stream(name);
  const filter = { key, keyPrefix, type };
  const until = flags.until === undefined ? undefined : parsePlace(flags.until, now());
  const start = parseStart(flags.from ?? (reverse ? "latest" : "earliest"), now());
  const last = "last" in start ? start.last : Number.POSITIVE_INFINITY;
  const wanted = flags.events ?? Number.POSITIVE_INFINITY;
  // With --follow, `--last` only sets where the output begins.
  const most = follow ? wanted : Math.min(wanted, last);
  const from =
    "place" in start
      ? start.place
      : reverse
        ? "latest"
        : await beforeLast(stream, last, { ...filter, signal });
  const printer = createEventPrinter(cli);
  let printed = 0;
  const pages = stream.readPages({
    ...filter,
    from,
    until,
    follow,
    signal,
    order: reverse ? "desc" : undefined,
    pageEvents: Math.min(most, PAGE),
    onRetry: () => void cli.out.progress("The server does not answer; trying again ..."),
  });
  for await (const { events } of pages) {
    const shown = events.slice(0, most - printed);
    await printer.print(shown);
    printed += shown.length;
    if (printed >= most) break;
    if (follow) await cli.out.progress(`waiting for events of ${name}; Ctrl-C ends`);
  }
  if (printed === 0) await cli.out.note(`${name} has no such events.`);
}

const PAGE = 500;

type Filter = {
  readonly key?: string | undefined;
  readonly keyPrefix?: string | undefined;
  readonly type?: string | undefined;
};

/** Returns the position before the last n events that match the filter. */
export async function beforeLast(
  stream: RawStream,
  last: number,
  filter: Filter & { readonly signal: AbortSignal },
): Promise<string> {
  let left = last;
  let cursor = "latest";
  while (left > 0) {
    // Each page is requested with exactly the events that are still needed, so that its cursor lies
    // right before them.
    const pageEvents = Math.min(left, PAGE);
    const pages = stream.readPages({ ...filter, order: "desc", from: cursor, pageEvents });
    const { value: page } = await pages.next();
    await pages.return();
    if (page === undefined) break;
    left -= page.events.length;
    cursor = page.cursor;
    if (page.caughtUp) break;
  }
  return cursor;
}
