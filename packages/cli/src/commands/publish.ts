import { createHash } from "node:crypto";
import { counted, paired } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { EXIT } from "../output/trouble.ts";
import { count, plural, quoted, visible } from "../output/words.ts";
import { type Batch, type BatchRules, batchesOf } from "../publish/batches.ts";
import { checkFile, readFileChunks } from "../publish/input.ts";
import { decide, journalFile } from "../publish/journal.ts";
import { linesOf } from "../publish/lines.ts";
import { type Published, publishBatches } from "../publish/publish-lines.ts";
import type { Register } from "../register.ts";
import { LedgerProblem, rawJson } from "../sdk.ts";

type Flags = {
  key?: string;
  type?: string;
  data?: string;
  delete?: boolean;
  id?: string;
  time?: string;
  header?: Record<string, string>;
  expect?: number;
  keyField?: string;
  idempotencyPrefix?: string;
  fromLine?: number;
  again?: boolean;
  dryRun?: boolean;
};

export function publishCommand({ program, act }: Register): void {
  program
    .command("publish <stream> [file]")
    .description("publish an event, a file of lines, or standard input")
    .option("-k, --key <key>", "the key of the event")
    .option("-t, --type <type>", "the type of the event, or of lines without one")
    .option("-d, --data <json>", "the data of the event")
    .option("--delete", "publish a tombstone: afterwards the key has no state")
    .option("--id <id>", "the event's own id")
    .option("--time <time>", "when it happened")
    .option("--header <name=value>", "a header; may be given several times", paired)
    .option(
      "--expect <sequence>",
      "only if this is the key's last sequence",
      counted("--expect", 0),
    )
    .option("--key-field <name>", "lines are data, and this member is the key: id, customer.id")
    .option("--idempotency-prefix <text>", "names this publish: the same input takes effect once")
    .option("--from-line <n>", "begin with this line", counted("--from-line"))
    .option("--again", "publish the file again, as new events")
    .option("--dry-run", "only check the lines")
    .addHelpText(
      "after",
      `
A line of a file is an event:
  {"key":"order-1","type":"order.placed","data":{"total":42}}
A file is checked before anything is published. If publishing is interrupted,
the same command continues, and no event is published twice.

Examples:
  $ el publish orders -k order-1 -t order.placed -d '{"total":42}'
  $ el publish orders events.ndjson
  $ el publish customers customers.ndjson --key-field id -t customer.imported
  $ el read orders | el publish orders-copy`,
    )
    .action(
      act<Flags>((cli, [stream, file], flags) => {
        cli.about = { ...cli.about, stream };
        if (flags.data !== undefined || flags.delete) return publishOne(cli, stream, flags);
        const rules: BatchRules = {
          keyField: flags.keyField,
          type: flags.type,
          headers: flags.header,
          fromLine: flags.fromLine ?? 1,
          isRepeatable: file !== undefined || flags.idempotencyPrefix !== undefined,
        };
        if (flags.key !== undefined) {
          throw new UsageError("An event needs its data: -d JSON, or --delete.");
        }
        if (file !== undefined && file !== "-")
          return publishFile(cli, { stream, file, rules, flags });
        return publishStdin(cli, stream, rules, flags);
      }),
    );
}

async function publishOne(cli: Cli, stream: string, flags: Flags): Promise<void> {
  const { key, type, id, time, header: headers, expect: expectedSequence } = flags;
  if (key === undefined) throw new UsageError("An event needs a key: -k KEY.");
  cli.about = { ...cli.about, key };
  const event = { key, type, id, time, headers, expectedSequence };
  const data = flags.delete ? null : rawJson(jsonArgument(flags.data ?? "null"));
  if (flags.dryRun) {
    await cli.out.document({ valid: 1 }, () => "The event is valid.");
    return;
  }
  const server = cli.server();
  const named = flags.idempotencyPrefix && { idempotencyKey: flags.idempotencyPrefix };
  const receipt = await server
    .stream(stream)
    .publish({ ...event, data }, { ...named, signal: cli.io.signal });
  const sequence = receipt.events[0]?.sequence ?? 0;
  const before = server.lastStatus() === 200 ? " It was already there." : "";
  const what = flags.delete ? `Deleted ${visible(key)}` : `Published ${visible(key)}`;
  await cli.out.document(receipt, () => `${what} as number ${count(sequence)}.${before}`);
  await cli.out.hint(`el read ${stream} --key ${quoted(key)}`);
}

function jsonArgument(text: string): string {
  try {
    JSON.parse(text);
    return text.trim();
  } catch {
    const help = `-d ${quoted(JSON.stringify(text))} publishes this as a text`;
    throw new UsageError(`The data is not JSON: ${text.slice(0, 60)}`, help);
  }
}

type FromFile = {
  readonly stream: string;
  readonly file: string;
  readonly rules: BatchRules;
  readonly flags: Flags;
};

async function publishFile(cli: Cli, { stream, file, rules, flags }: FromFile): Promise<void> {
  const checked = await checkFile(cli, file, rules);
  if (flags.dryRun) {
    await cli.out.document({ valid: checked.events }, () => {
      return `${file} is valid: ${plural(checked.events, "event")}.`;
    });
    return;
  }
  const { url } = cli.server({ isPatient: true }).target;
  const content = [checked.hash, JSON.stringify(rules), flags.idempotencyPrefix ?? ""].join(" ");
  const journal = journalFile(cli.io, { url, stream, content });
  const decision = decide(journal.load(), flags.again === true, cli.io.now());
  const command = commandOf(stream, file, flags);
  if (decision.kind === "too-late") {
    throw new Failure(
      `${file} was published up to line ${decision.line} more than 23 hours ago. ` +
        "Sending those lines again could publish them twice.",
      { help: `${command} --from-line ${decision.line + 1}`, exitCode: EXIT.conflict },
    );
  }
  let state = decision.journal;
  const durableTo = state.line > 0 && (await lifeOf(cli, stream)) === state.life ? state.line : 0;
  journal.save(state);
  const name = flags.idempotencyPrefix ?? `el-${state.run}-${hashOf(content)}`;
  const result = await publishBatches(
    cli,
    batchesOf(linesOf(readFileChunks(checked.path)), rules),
    {
      stream,
      total: checked.events,
      keyOf: (batch) => keyOf(name, batch),
      durableTo,
      onDurable: (line, life) => {
        state = { ...state, line, life };
        journal.save(state);
      },
      again: command,
      isRepeatable: true,
    },
  );
  journal.save({ ...state, isDone: true });
  await report(cli, result);
  if (result.published === 0 && result.alreadyThere > 0) {
    await cli.out.hint(`${command} --again publishes the file once more`);
  }
}

/**
 * Returns the life of a stream, if the key may read it. Without it, all requests are sent again.
 */
async function lifeOf(cli: Cli, stream: string): Promise<string | undefined> {
  try {
    return (await cli.server().admin.streams.get(stream, { signal: cli.io.signal })).life;
  } catch (error) {
    if (LedgerProblem.is(error, "forbidden")) return undefined;
    throw error;
  }
}

async function publishStdin(
  cli: Cli,
  stream: string,
  rules: BatchRules,
  flags: Flags,
): Promise<void> {
  if (cli.io.stdin.isTTY) {
    await cli.out.note("Reading events from the terminal, one a line. Ctrl-D ends.");
  }
  const batches = batchesOf(linesOf(cli.io.stdin), rules);
  if (flags.dryRun) {
    let valid = 0;
    for await (const { events } of batches) valid += events.length;
    await cli.out.document({ valid }, () => `The input is valid: ${plural(valid, "event")}.`);
    return;
  }
  const prefix = flags.idempotencyPrefix;
  const result = await publishBatches(cli, batches, {
    stream,
    total: undefined,
    keyOf: (batch) => (prefix === undefined ? undefined : keyOf(prefix, batch)),
    durableTo: 0,
    onDurable: () => {},
    again: commandOf(stream, "-", flags),
    isRepeatable: prefix !== undefined,
  });
  await report(cli, result);
}

const were = (events: number): string => (events === 1 ? "was" : "were");

const keyOf = (name: string, { lines }: Batch): string => `${name}-${lines[0]}-${lines.at(-1)}`;

async function report(cli: Cli, result: Published): Promise<void> {
  const { stream, published, alreadyThere, seconds } = result;
  const rate = seconds > 0.1 ? ` (${count(Math.round(published / seconds))}/s)` : "";
  const before =
    alreadyThere > 0
      ? ` ${plural(alreadyThere, "event")} ${were(alreadyThere)} already there.`
      : "";
  await cli.out.document(result, () =>
    published === 0 && alreadyThere > 0
      ? `Nothing new: ${plural(alreadyThere, "event")} ${were(alreadyThere)} already there.`
      : `Published ${plural(published, "event")} to ${stream} in ${seconds.toFixed(1)} s${rate}.${before}`,
  );
  if (published > 0) await cli.out.hint(`el read ${stream} --from -10`);
}

/** Returns the command to run again, for the next steps of the user. */
function commandOf(stream: string, file: string, flags: Flags): string {
  const { keyField, type, header = {}, idempotencyPrefix, fromLine } = flags;
  const options = [
    ...(keyField === undefined ? [] : ["--key-field", keyField]),
    ...(type === undefined ? [] : ["-t", type]),
    ...Object.entries(header).flatMap(([name, value]) => ["--header", `${name}=${value}`]),
    ...(idempotencyPrefix === undefined ? [] : ["--idempotency-prefix", idempotencyPrefix]),
    ...(fromLine === undefined ? [] : ["--from-line", String(fromLine)]),
  ];
  return ["el publish", ...[stream, file, ...options].map(quoted)].join(" ");
}

const hashOf = (content: string): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 24);
