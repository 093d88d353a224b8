import { parsePlace } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../io.ts";
import { bytes, count } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { UsageEntry } from "../sdk.ts";

const BY = ["stream", "key", "tenant"] as const;
const STEPS = ["hour", "day"] as const;

type Flags = {
  by: string;
  step: string;
  from?: string;
  to?: string;
  tenant?: string;
  csv?: boolean;
};

export function usageCommand({ program, act }: Register): void {
  program
    .command("usage")
    .description("show what streams, keys or tenants used")
    .option("--by <what>", "stream, key or tenant", "stream")
    .option("--step <time>", "hour or day, in UTC", "day")
    .option(
      "--from <time>",
      "where it begins, such as -7d (default: 24 hours or 30 days before --to)",
    )
    .option("--to <time>", "the end, which is not included (default: now)")
    .option("--tenant <name>", "another tenant, with the admin key")
    .option("--csv", "print CSV")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el usage\n  $ el usage --by key --step hour --from -24h\n  $ el usage --by tenant --from 2026-11-01T00:00Z --csv > november.csv",
    )
    .action(act<Flags>((cli, _, flags) => show(cli, flags)));
}

async function show(cli: Cli, { by, step, from, to, tenant, csv = false }: Flags): Promise<void> {
  const now = cli.io.now();
  const timeOf = (text: string | undefined) => text && parsePlace(text, now);
  const query = {
    by: oneOf(BY, by, "--by"),
    step: oneOf(STEPS, step, "--step"),
    from: timeOf(from),
    to: timeOf(to),
    tenant,
  };
  const { admin } = cli.server();
  const { signal } = cli.io;
  if (csv) {
    await cli.out.text(`${CSV.map(([title]) => title).join(",")}\n`);
    for await (const entry of admin.usage(query, { signal })) {
      await cli.out.text(`${CSV.map(([, of]) => of(entry) ?? "").join(",")}\n`);
    }
    return;
  }
  await cli.out.list(admin.usage(query, { signal }), {
    empty: "There was no usage in this time.",
    columns: [
      {
        title: step === "hour" ? "HOUR (UTC)" : "DAY (UTC)",
        of: ({ time }) => shorten(time, step),
      },
      { title: by.toUpperCase(), of: (entry) => subjectOf(entry), isElastic: true },
      { title: "REQUESTS", of: ({ requests }) => count(requests), align: "right" },
      { title: "PUBLISHED", of: ({ published }) => count(published.events), align: "right" },
      { title: "BYTES", of: ({ published }) => bytes(published.bytes), align: "right" },
      { title: "DELIVERED", of: ({ delivered }) => count(delivered.events), align: "right" },
      ...(by === "key" ? [] : [STORED]),
    ],
  });
}

/** The columns of the server's CSV. No value needs quotes. */
const CSV: readonly (readonly [title: string, of: (entry: UsageEntry) => unknown])[] = [
  ["time", ({ time }) => time],
  ["stream", ({ stream }) => stream],
  ["key", ({ key }) => key],
  ["tenant", ({ tenant }) => tenant],
  ["published_events", ({ published }) => published.events],
  ["published_bytes", ({ published }) => published.bytes],
  ["delivered_events", ({ delivered }) => delivered.events],
  ["delivered_bytes", ({ delivered }) => delivered.bytes],
  ["requests", ({ requests }) => requests],
  ["hot_bytes", ({ stored }) => stored?.hotBytes],
  ["archived_bytes", ({ stored }) => stored?.archivedBytes],
  ["compacted_bytes", ({ stored }) => stored?.compactedBytes],
];

const STORED = {
  title: "STORED",
  of: ({ stored }: UsageEntry) => bytes(storedBytes(stored)),
  align: "right",
} as const;

const storedBytes = (stored: UsageEntry["stored"]): number =>
  stored === undefined ? 0 : stored.hotBytes + stored.compactedBytes + stored.archivedBytes;

const subjectOf = ({ stream, key, tenant }: UsageEntry): string => stream ?? key ?? tenant ?? "";

/** `2026-11-29`, or `2026-11-29 08:00`. */
const shorten = (time: string, step: string): string =>
  step === "hour" ? time.slice(0, 16).replace("T", " ") : time.slice(0, 10);

function oneOf<T extends string>(known: readonly T[], text: string, option: string): T {
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} must be ${known.join(" or ")}, not "${text}".`);
}
