import { count, type Said, seconds } from "../../proof/record.ts";

type Churn = Readonly<
  Record<"updates" | "events" | "liveKeys" | "publishedMs" | "endedMs" | "compactorKills", number>
> & { readonly bootstraps: readonly number[] };

/** Describes the result of the churn suite. The suite fails at the first difference. */
export function sayChurn(churn: Churn): Said {
  const { updates, events, liveKeys, publishedMs, endedMs, compactorKills, bootstraps } = churn;
  const parts = [
    count(updates, "update"),
    count(events, "event"),
    count(liveKeys, "live key"),
    count(bootstraps.length, "subscriber"),
    count(compactorKills, "compactor kill"),
    `published in ${seconds(publishedMs)}, caught up ${seconds(endedMs - publishedMs)} later`,
  ];
  return {
    part: "Bootstrap while keys change",
    ran: parts.join(", "),
    found: "every subscriber holds the fold of the log",
  };
}
