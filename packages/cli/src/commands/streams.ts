import { parseCountOrAuto, parseDuration } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import type { TableOf } from "../output/output.ts";
import { renderTable } from "../output/table.ts";
import { bytes, count, duration, plural, relative, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { ListedStream, StreamInfo } from "../sdk.ts";

export function streamsCommands({ program, act }: Register): void {
  const streams = program.command("streams").description("list, create, change and delete streams");
  streams
    .command("ls")
    .description("list the streams that the API key covers")
    .addHelpText("after", "\nExample:\n  $ el streams ls")
    .action(
      act(async (cli) => {
        const { admin } = cli.server();
        const { signal } = cli.io;
        const listed = await cli.out.list(admin.streams.list({ stats: true, signal }), table(cli));
        if (listed === 0) await cli.out.hint("el streams create orders");
      }),
    );
  streams
    .command("info <stream>")
    .description("show a stream with the lag of its subscriptions")
    .addHelpText("after", "\nExample:\n  $ el streams info orders")
    .action(act((cli, [name]) => info(cli, name)));
  streams
    .command("create <stream>")
    .description("create a stream; again with the same settings changes nothing")
    .option("--description <text>", "a note for people")
    .option("--partitions <n>", "write lanes, for more than 1,000 events/s; or auto", lanes)
    .option("--compaction <kind>", "key: keep the current state of each key; or none")
    .option("--retention <time>", "how long events are kept, such as 15d")
    .option("--archive <time>", "how long events are kept in the archive, such as 365d")
    .option("--archive-lock <mode>", LOCK)
    .addHelpText(
      "after",
      "\nExamples:\n  $ el streams create orders\n  $ el streams create clicks --partitions 4 --compaction none --retention 3d",
    )
    .action(
      act<Settings & { partitions?: number | "auto"; compaction?: "key" | "none" }>(
        async (cli, [name], { partitions, compaction, ...settings }) => {
          const { admin, lastStatus } = cli.server();
          cli.about = { ...cli.about, stream: name };
          const body = { partitions, compaction, ...changed(settings) };
          const stream = await admin.streams.create(name, body, { signal: cli.io.signal });
          const isNew = lastStatus() === 201;
          await cli.out.document(stream, () =>
            isNew ? `Created the stream ${name}.` : `The stream ${name} already existed.`,
          );
          await cli.out.hint(`el publish ${name} -k ${name.replace(/s$/, "")}-1 -d '{"total":42}'`);
        },
      ),
    );
  streams
    .command("set <stream>")
    .description("change the settings of a stream")
    .option("--description <text>", "a note for people")
    .option("--partitions <n>", "write lanes; publishers and readers need not stop; or auto", lanes)
    .option("--retention <time>", "how long events are kept, such as 15d")
    .option("--archive <time>", "how long events are kept in the archive, such as 365d")
    .option("--no-archive", "archive no further events")
    .option("--archive-lock <mode>", LOCK)
    .addHelpText(
      "after",
      "\nExamples:\n  $ el streams set orders --retention 30d\n  $ el streams set orders --partitions 8",
    )
    .action(
      act<Settings & { partitions?: number | "auto" }>(
        async (cli, [name], { partitions, ...settings }) => {
          cli.about = { ...cli.about, stream: name };
          const body = { partitions, ...changed(settings) };
          if (Object.values(body).every((value) => value === undefined)) {
            throw new UsageError("Nothing to change.");
          }
          const { admin } = cli.server();
          const stream = await admin.streams.change(name, body, { signal: cli.io.signal });
          await cli.out.document(stream, () => `Changed the stream ${name}.`);
        },
      ),
    );
  streams
    .command("rm <stream>")
    .description("delete a stream with all that it holds")
    .addHelpText("after", "\nExample:\n  $ el streams rm orders --yes")
    .action(act((cli, [name]) => remove(cli, name)));
  program
    .command("compact <stream>")
    .description("compact a stream now, up to its end")
    .addHelpText("after", "\nExample:\n  $ el compact orders")
    .action(act((cli, [name]) => compact(cli, name)));
}

/** `auto`: the stream gets more partitions by itself. */
const lanes = (text: string): number | "auto" => parseCountOrAuto(text, "--partitions");

type Settings = {
  description?: string;
  retention?: string;
  archive?: string | boolean;
  archiveLock?: "governance" | "compliance";
};

const LOCK = "lock what is archived until its time is over: governance or compliance";

function changed({ description, retention, archive, archiveLock: lock }: Settings) {
  const retentionHours =
    retention === undefined ? undefined : whole(retention, "--retention", "hours", HOUR_MS);
  // commander passes true where only --no-archive can have been given.
  const archiveDays =
    typeof archive === "string"
      ? whole(archive, "--archive", "days", 24 * HOUR_MS)
      : archive === false
        ? null
        : undefined;
  return {
    description,
    retentionHours,
    archiveDays,
    archiveLock: lock,
  };
}

const HOUR_MS = 3_600_000;

function whole(text: string, option: string, units: string, unitMs: number): number {
  const value = parseDuration(text, option) / unitMs;
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${option} is kept in whole ${units}: ${text}`);
}

const table = (cli: Cli): TableOf<ListedStream> => {
  const ago = (iso?: string | null) => relative(iso, cli.io.now());
  return {
    empty: "There are no streams.",
    columns: [
      { title: "STREAM", of: ({ name }) => name, isElastic: true },
      { title: "EVENTS", of: ({ eventCount }) => orDash(eventCount, count), align: "right" },
      { title: "LAST", of: ({ lastEventAt }) => ago(lastEventAt) },
      { title: "SUBS", of: (each) => orDash(each.subscriptionCount, count), align: "right" },
      { title: "KEPT", of: ({ retentionHours }) => duration(retentionHours * 3_600) },
      {
        title: "DESCRIPTION",
        of: ({ description }) => visible(description),
        isElastic: true,
        style: () => "dim",
      },
    ],
  };
};

const orDash = (value: number | undefined, print: (value: number) => string): string =>
  value === undefined ? "-" : print(value);

async function info(cli: Cli, name: string): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  const stream = await cli.server().admin.streams.get(name, { signal: cli.io.signal });
  const text = cli.out.isHuman ? await describe(cli, stream) : "";
  await cli.out.document(stream, () => text);
  await cli.out.hint(
    stream.eventCount === 0 ? `el publish ${name} --help` : `el read ${name} --from -10`,
  );
}

async function describe(cli: Cli, stream: StreamInfo): Promise<string> {
  const now = cli.io.now();
  const { watermarkLag: lag, compaction } = stream;
  const waiting = lag.events === 0 ? "complete" : `${plural(lag.events, "event")} to go`;
  const facts = renderFacts(cli.out, [
    ["stream", stream.name],
    ["description", visible(stream.description)],
    ["events", `${count(stream.eventCount)} ever published`],
    ["last", relative(stream.lastEventAt, now)],
    ["oldest", relative(stream.firstEventAt, now)],
    ["kept", duration(stream.retentionHours * 3_600)],
    ["archived", describeArchive(stream)],
    ["partitions", describePartitions(stream)],
    ["current state", compaction === "none" ? "not kept" : waiting],
    ["compacted", compaction === "none" ? undefined : bytes(stream.bytes)],
    ["created", relative(stream.createdAt, now)],
    ["life", stream.life],
  ]);
  if (stream.subscriptions.length === 0) return facts;
  const subscriptions = await renderTable(stream.subscriptions, {
    width: cli.out.columns,
    style: cli.out.style,
    columns: [
      { title: "SUBSCRIPTION", of: (each) => each.name, isElastic: true },
      { title: "LAG", of: (each) => count(each.lag.events), align: "right" },
      { title: "OLDEST", of: (each) => (each.lag.events ? duration(each.lag.seconds) : "-") },
    ],
  });
  return `${facts}\n\n${subscriptions}`;
}

/** Returns such as "2 since 2026-11-29, before that 1, 8". */
function describePartitions(stream: StreamInfo): string {
  const { partitions, epochs = [], nextPartitions, autoPartitions } = stream;
  const before = epochs.slice(0, -1).map(({ partitions: had }) => count(had));
  const since = epochs.at(-1)?.since.slice(0, 10);
  const changed = since === undefined ? "" : ` since ${since}, before that ${before.join(", ")}`;
  const next = nextPartitions === undefined ? "" : `, changing to ${count(nextPartitions)}`;
  const auto = autoPartitions ? ", more by itself" : "";
  return `${count(partitions)}${changed}${auto}${next}`;
}

function describeArchive({ archive, archiveDays, archiveLock }: StreamInfo): string | undefined {
  const lock = archiveLock === undefined ? "" : `, locked for ${archiveLock}`;
  const kept = archiveDays === undefined ? "stopped" : `for ${archiveDays}d${lock}`;
  if (archive === undefined) return archiveDays === undefined ? undefined : kept;
  const { events, segments, bytes: size, lag } = archive;
  const held = `${plural(events, "event")} in ${plural(segments, "segment")}, ${bytes(size)}`;
  return `${kept}, ${held}${lag.events > 0 ? `, ${plural(lag.events, "event")} to go` : ""}`;
}

async function remove(cli: Cli, name: string): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  const { admin } = cli.server();
  const { signal } = cli.io;
  const { eventCount, subscriptionCount } = await admin.streams.get(name, { signal });
  const held = `${plural(eventCount, "event")} and ${plural(subscriptionCount, "subscription")}`;
  if (!(await confirm(cli, `Delete the stream ${name} with ${held}?`))) {
    await cli.out.note("Nothing was deleted.");
    return;
  }
  const deletion = await admin.streams.delete(name, { signal });
  const kept = deletion?.archiveKeptUntil;
  const locked = kept === undefined ? "" : ` Locks keep its archive until ${kept.slice(0, 10)}.`;
  await cli.out.document(
    { name, status: "deleting", archiveKeptUntil: kept },
    () => `Deleted the stream ${name}.${locked}`,
  );
}

async function compact(cli: Cli, name: string): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  const { admin } = cli.server();
  let events = 0;
  let states = 0;
  for (;;) {
    const receipt = await admin.streams.compact(name, { signal: cli.io.signal });
    events += receipt.compactedEvents;
    states += receipt.keys;
    if (receipt.done) {
      const result = { stream: name, compactedEvents: events, keys: states, done: true };
      const work = `Compacted ${plural(events, "event")} into ${plural(states, "state")}.`;
      await cli.out.document(result, () => {
        return `The current state of ${name} is complete.${events > 0 ? ` ${work}` : ""}`;
      });
      return;
    }
    await cli.out.progress(`${name}  ${plural(receipt.watermarkLag.events, "event")} to go`);
  }
}
