import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { parsePlace } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { bytes, plural } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { Export, ExportPart } from "../sdk.ts";

type Flags = {
  readonly state?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly keep?: boolean;
};

/** How often the server is asked about an export that is not done. */
const ASK_EVERY_MS = 1_000;

export function exportCommand({ program, act }: Register): void {
  program
    .command("export <stream> [file]")
    .description("write the events of a stream into a file, as gzip of JSON lines")
    .option("--state", "the last event of each key instead of all events")
    .option("--from <place>", "where the events begin, as in `el read`")
    .option("--to <place>", "where they end: before this place")
    .option("--keep", "keep the objects in the bucket for three days")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el export orders\n  $ el export orders day.ndjson.gz --from -1d\n  $ el export orders --state",
    )
    .action(
      act<Flags>((cli, [name, file], flags) => {
        cli.about = { ...cli.about, stream: name };
        return exportTo(cli, name, file ?? `${name}.ndjson.gz`, flags);
      }),
    );
}

/**
 * Writes an export into a file. The file appears only when it is complete and each part has the
 * hash that the server stated.
 */
async function exportTo(cli: Cli, name: string, file: string, flags: Flags): Promise<void> {
  const { state = false, keep = false } = flags;
  if (state && (flags.from ?? flags.to) !== undefined) {
    throw new UsageError("--state exports what is current, so it takes no --from and no --to.");
  }
  const { exports } = cli.server().admin.streams;
  const { signal } = cli.io;
  const place = (text: string | undefined) => text && parsePlace(text, cli.io.now());
  const range = { from: place(flags.from), to: place(flags.to) };
  const what = state ? { view: "state" as const } : range;
  const { id } = await exports.create(name, what, { signal });
  const path = resolve(cli.io.cwd, file);
  const partial = `${path}.part`;
  let target: FileHandle | undefined;
  try {
    const made = await waitFor(cli, name, id);
    target = await open(partial, "w");
    await download(cli, { name, id, target, total: made.bytes });
    await target.close();
    await rename(partial, path);
    const { events, follow } = made;
    const result = { stream: name, id, file: path, events, bytes: made.bytes, follow };
    await cli.out.document(
      result,
      () => `Wrote ${plural(events, "event")} to ${file}, ${bytes(made.bytes)}.`,
    );
  } finally {
    await target?.close().catch(() => {});
    await rm(partial, { force: true });
    // This request must be sent even after a signal has stopped the command.
    if (!keep) await exports.delete(name, id).catch(() => {});
  }
}

async function waitFor(cli: Cli, name: string, id: string): Promise<Export> {
  const { exports } = cli.server().admin.streams;
  const { signal } = cli.io;
  for (;;) {
    const found = await exports.get(name, id, { limit: 1 }, { signal });
    if (found.status === "done") return found;
    if (found.status === "failed") {
      throw new Failure(`The export of ${name} failed: ${found.problem}.`, {
        help: `el streams info ${name}`,
      });
    }
    await cli.out.progress(`${name}  ${plural(found.events, "event")} exported`);
    await pause(ASK_EVERY_MS, signal);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolvePause, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolvePause();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });

type Download = {
  readonly name: string;
  readonly id: string;
  readonly target: FileHandle;
  /** The total size of all parts in bytes. */
  readonly total: number;
};

/** Fetches the parts one after another. Joined members of gzip are gzip again. */
async function download(cli: Cli, { name, id, target, total }: Download): Promise<void> {
  const { exports } = cli.server().admin.streams;
  const { signal } = cli.io;
  let done = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await exports.get(name, id, { cursor }, { signal });
    for (const part of page.parts) {
      const hash = createHash("sha256");
      for await (const chunk of await bodyOf(part, signal)) {
        hash.update(chunk);
        done += chunk.length;
        await target.write(chunk);
        await cli.out.progress(`${name}  ${bytes(done)} of ${bytes(total)}`);
      }
      assertSame(part, hash);
    }
    if (page.cursor === null) return;
    cursor = page.cursor;
  }
}

/** The URL of a part is signed, so the request needs no API key. */
async function bodyOf(part: ExportPart, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(part.url, { signal });
  if (response.ok && response.body !== null) return response.body;
  throw new Failure(`The bucket answered ${response.status} for a part of the export.`);
}

function assertSame({ sha256 }: ExportPart, hash: Hash): void {
  if (hash.digest("hex") === sha256) return;
  throw new Failure("A part of the export arrived changed. Nothing was written.");
}
