import type { Cli } from "../cli.ts";
import { Failure } from "../io.ts";
import { bytes, count, plural, relative } from "../output/words.ts";
import type { Register } from "../register.ts";

export function archiveCommands({ program, act }: Register): void {
  program
    .command("archive <stream>")
    .description("archive a stream now, or list its segments")
    .option("--segments", "list the segments")
    .addHelpText("after", "\nExamples:\n  $ el archive orders\n  $ el archive orders --segments")
    .action(
      act<{ segments?: boolean }>((cli, [name], { segments = false }) => {
        cli.about = { ...cli.about, stream: name };
        return segments ? list(cli, name) : archive(cli, name);
      }),
    );
  program
    .command("verify <stream>")
    .description("verify that an archive has not changed")
    .addHelpText("after", "\nExample:\n  $ el verify orders")
    .action(act((cli, [name]) => verify(cli, name)));
}

async function archive(cli: Cli, name: string): Promise<void> {
  const { admin } = cli.server();
  let [segments, events, size] = [0, 0, 0];
  for (;;) {
    const receipt = await admin.streams.archive(name, { signal: cli.io.signal });
    segments += receipt.segments;
    events += receipt.events;
    size += receipt.bytes;
    const left = receipt.watermarkLag.events;
    if (receipt.done) {
      const result = { stream: name, segments, events, bytes: size, done: true, left };
      const made = `Archived ${plural(events, "event")} in ${plural(segments, "segment")}`;
      await cli.out.document(result, () =>
        events === 0 ? "Nothing to archive." : `${made}, ${bytes(size)}.`,
      );
      if (left > 0) await cli.out.hint(`el compact ${name}: only compacted events are archived`);
      return;
    }
    await cli.out.progress(`${name}  ${plural(left, "event")} to go`);
  }
}

async function list(cli: Cli, name: string): Promise<void> {
  const now = cli.io.now();
  const segments = cli.server().admin.streams.segments(name, { signal: cli.io.signal });
  await cli.out.list(segments, {
    empty: `The archive of ${name} is empty.`,
    columns: [
      { title: "FROM", of: ({ first }) => count(first), align: "right" },
      { title: "TO", of: ({ next }) => count(next - 1), align: "right" },
      { title: "EVENTS", of: ({ events }) => count(events), align: "right" },
      { title: "BYTES", of: (segment) => bytes(segment.bytes), align: "right" },
      { title: "LAST", of: ({ lastEventAt }) => relative(lastEventAt, now) },
      { title: "SHA-256", of: ({ sha256 }) => sha256, isElastic: true },
    ],
  });
}

async function verify(cli: Cli, name: string): Promise<void> {
  const { admin } = cli.server();
  let [segments, events, size] = [0, 0, 0];
  for (let cursor: string | undefined; ; ) {
    const found = await admin.streams.verify(name, cursor, { signal: cli.io.signal });
    segments += found.segments;
    events += found.events;
    size += found.bytes;
    const { fault } = found;
    const result = { stream: name, segments, events, bytes: size, fault };
    if (fault !== null) {
      if (!cli.out.isHuman) await cli.out.document(result, () => "");
      const range = `${count(fault.first)} to ${count(fault.next - 1)}`;
      throw new Failure(`The segment of events ${range} of ${name} is ${fault.reason}.`, {
        help: `el archive ${name} --segments`,
      });
    }
    if (found.cursor === null) {
      await cli.out.document(result, () => {
        const held = `${plural(segments, "segment")}, ${plural(events, "event")}`;
        return `The archive of ${name} is intact: ${held}.`;
      });
      return;
    }
    cursor = found.cursor;
    await cli.out.progress(`${name}  ${plural(segments, "segment")} verified`);
  }
}
