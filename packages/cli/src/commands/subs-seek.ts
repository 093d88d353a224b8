import { parsePlace, placeInBody } from "../arguments.ts";
import { type Cli, confirm } from "../cli.ts";
import { findSubscription } from "../connection/subscription-name.ts";
import { UsageError } from "../io.ts";
import { plural } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { SeekReceipt } from "../sdk.ts";

/** What a seek changes. */
export type SeekPreview = {
  /** Events that are delivered although they were committed before. */
  readonly again: number;
  /** Events that are never delivered. */
  readonly skipped: number;
};

/** Both counts include events that the filter leaves out, as every lag does. */
export const previewSeek = (lagNow: number, lagThen: number): SeekPreview => ({
  again: Math.max(0, lagThen - lagNow),
  skipped: Math.max(0, lagNow - lagThen),
});

export function seekCommand(subs: Register["program"], act: Register["act"]): void {
  subs
    .command("seek <subscription> [place]")
    .description("move a subscription, after a preview of the effect")
    .option("--since <cursor>", "to the states that changed since a cursor, and then the log")
    .option("--dry-run", "only show the preview")
    .addHelpText(
      "after",
      `
Places: earliest, latest, bootstrap, -15m, 2026-11-29T08:00:00Z, a sequence, or
a cursor

Examples:
  $ el subs seek orders/shipping -2h --dry-run
  $ el subs seek shipping bootstrap --yes
  $ el subs seek shipping --since "$CURSOR" --yes`,
    )
    .allowUnknownOption()
    .action(act<SeekFlags>(seek));
}

type SeekFlags = { dryRun?: boolean; since?: string };

async function seek(
  cli: Cli,
  [given, asked]: readonly [string, string?, ...string[]],
  { dryRun = false, since }: SeekFlags,
): Promise<void> {
  if ((asked === undefined) === (since === undefined)) {
    throw new UsageError("Name a place, or a cursor with --since.");
  }
  const to = asked ?? "the changed states";
  const { stream, name } = await findSubscription(cli, given);
  const { admin } = cli.server();
  const { signal, now } = cli.io;
  const subscriptions = admin.subscriptions(stream);
  const place = asked === undefined ? "bootstrap" : parsePlace(asked, now());
  const target = since === undefined ? placeInBody(place) : { since };
  const [{ lag, phase, parkedKeys }, then] = await Promise.all([
    subscriptions.get(name, { signal }),
    subscriptions.seek(name, target, { dryRun: true, signal }),
  ]);
  const isInLog = phase === "log" && then.phase === "log";
  const preview = isInLog ? previewSeek(lag.events, then.lag.events) : undefined;
  const words = [
    since === undefined
      ? describe(preview, { place, phase: then.phase })
      : "The states that changed since the cursor are delivered, and then the log.",
    ...(parkedKeys > 0 ? [`${plural(parkedKeys, "parked key")} are free again.`] : []),
  ].join(" ");
  const shown = since === undefined ? place : target;
  const body = { subscription: `${stream}/${name}`, to: shown, ...preview, parkedKeys };
  if (dryRun) {
    await cli.out.document({ ...body, moved: false }, () => words);
    return;
  }
  if (!(await confirm(cli, `${words} Move ${stream}/${name} to ${to}?`))) {
    await cli.out.note("Nothing was moved.");
    return;
  }
  const receipt = await subscriptions.seek(name, target, { signal });
  await cli.out.document({ ...body, moved: true, ...receipt }, () => {
    return `Moved ${stream}/${name} to ${to}. ${words}`;
  });
  await cli.out.hint(`el subs info ${stream}/${name}`);
}

function describe(
  preview: SeekPreview | undefined,
  { place, phase }: { readonly place: string; readonly phase: SeekReceipt["phase"] },
): string {
  if (preview === undefined) {
    if (phase === "log") return "The snapshot that is being read ends.";
    const first = place === "bootstrap" ? "current state of every key" : "rest of the snapshot";
    return `The ${first} is delivered, and then the log.`;
  }
  const { again, skipped } = preview;
  if (again > 0) return `${plural(again, "event")} are delivered again.`;
  if (skipped > 0) return `${plural(skipped, "event")} are skipped and never delivered.`;
  return "No event is delivered again, and none is skipped.";
}
