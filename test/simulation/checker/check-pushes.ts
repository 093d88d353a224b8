import type { Line } from "./history.ts";
import type { TeamRules } from "./teams.ts";

/** What is known of one pusher in one partition of its subscription. */
type Held = { readonly token: number };

/** Checks that a pusher commits and parks nothing after another one has taken its share. */
export function checkPushes(lines: readonly Line[], { report }: TeamRules): void {
  const held = new Map<string, Held>();
  const idOf = (subscription: string, partition: number, worker: string) =>
    `${subscription}/${partition}/${worker}`;
  for (const line of lines) {
    if (line.type !== "info") continue;
    if (line.op === "offset" && line.owner !== undefined && line.token !== undefined) {
      held.set(idOf(line.subscription, line.partition, line.owner), { token: line.token });
    } else if (line.op === "pushed") {
      const { subscription, partition, worker, token, atMs } = line;
      const own = held.get(idOf(subscription, partition, worker));
      if (own === undefined || own.token >= token) continue;
      const what = `${worker} writes to partition ${partition} by ${own.token}, after ${token}`;
      report("fenced-commit", atMs, `${subscription}: ${what}`);
    }
  }
}
