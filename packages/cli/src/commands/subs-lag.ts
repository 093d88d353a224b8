import { setTimeout as sleep } from "node:timers/promises";
import { parseDuration } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { eachSubscription } from "../connection/each-subscription.ts";
import { renderTable } from "../output/table.ts";
import { clockTime, count, duration } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { ListedSubscription } from "../sdk.ts";

/** The lag of a subscription at a moment. `perSecond` is negative while it shrinks. */
export type LagLine = {
  readonly at: string;
  readonly subscription: string;
  readonly events: number;
  readonly seconds: number;
  readonly parkedKeys: number;
  readonly perSecond: number | null;
};

type Flags = { watch?: boolean; every?: string };

export function lagCommand(subs: Register["program"], act: Register["act"]): void {
  subs
    .command("lag [name]")
    .description("show how far a subscription, or those of a stream or of all, are from the end")
    .option("-w, --watch", "show it again and again")
    .option("--every <time>", "how often with --watch", "2s")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el subs lag\n  $ el subs lag orders --watch\n  $ el subs lag orders/shipping",
    )
    .action(
      act<Flags>(async (cli, [name], { watch = false, every = "2s" }) => {
        cli.about = { ...cli.about, stream: name?.split("/")[0] };
        const pauseMs = parseDuration(every, "--every");
        let former = await look(cli, name, []);
        let rows = await show(cli, former, 0, watch);
        while (watch) {
          await sleep(pauseMs, undefined, { signal: cli.io.signal });
          former = await look(cli, name, former);
          rows = await show(cli, former, rows, watch);
        }
      }),
    );
}

async function look(
  cli: Cli,
  name: string | undefined,
  former: readonly LagLine[],
): Promise<LagLine[]> {
  const lines: LagLine[] = [];
  const at = cli.io.now();
  for await (const each of eachSubscription(cli, name)) lines.push(lineOf(each, at, former));
  return lines.toSorted((one, other) => other.seconds - one.seconds);
}

export function lineOf(
  { stream, name, lag, parkedKeys = 0 }: ListedSubscription,
  at: number,
  former: readonly LagLine[],
): LagLine {
  const subscription = `${stream}/${name}`;
  const { events = 0, seconds = 0 } = lag ?? {};
  const before = former.find((line) => line.subscription === subscription);
  const passed = before && (at - Date.parse(before.at)) / 1_000;
  const perSecond = before && passed ? (events - before.events) / passed : null;
  return { at: new Date(at).toISOString(), subscription, events, seconds, parkedKeys, perSecond };
}

/** Prints the table over the previous one, and returns its number of rows. */
async function show(
  { io, out }: Cli,
  lines: readonly LagLine[],
  former: number,
  isLive: boolean,
): Promise<number> {
  if (!out.isHuman) {
    await out.text(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return 0;
  }
  const table =
    lines.length === 0
      ? "There are no subscriptions."
      : await renderTable(lines, {
          width: out.columns,
          style: out.style,
          columns: [
            { title: "SUBSCRIPTION", of: (line) => line.subscription, isElastic: true },
            {
              title: "LAG",
              of: ({ events }) => count(events),
              align: "right",
              style: ({ events }) => (events === 0 ? "green" : undefined),
            },
            { title: "OLDEST", of: (line) => (line.events ? duration(line.seconds) : "-") },
            { title: "CHANGE", of: ({ perSecond }) => pace(perSecond), align: "right" },
            { title: "DONE IN", of: timeLeft },
            { title: "PARKED", of: ({ parkedKeys }) => count(parkedKeys), align: "right" },
          ],
        });
  const now = io.now();
  const footer = isLive
    ? [out.style("dim", `${clockTime(new Date(now).toISOString(), now)}  Ctrl-C ends`)]
    : [];
  const rows = [...table.split("\n"), ...footer];
  const isOver = io.stdout.isTTY && former > 0;
  const up = isOver ? `\u001b[${former}A\u001b[J` : "";
  await out.text(`${up}${rows.join("\n")}\n`);
  return rows.length;
}

const pace = (perSecond: number | null): string => {
  if (perSecond === null) return "-";
  const rounded = Math.round(perSecond);
  return `${rounded > 0 ? "+" : ""}${count(rounded)}/s`;
};

function timeLeft({ events, perSecond }: LagLine): string {
  if (events === 0 || perSecond === null || perSecond >= 0) return "-";
  return duration(events / -perSecond);
}
