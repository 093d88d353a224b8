import { existsSync, readFileSync } from "node:fs";
import { count, none, type Said, saveJson } from "../../proof/record.ts";
import type { Where } from "../../proof/where.ts";
import { emptyTally, missingFrom, type SeedTally, sortTally } from "./seed-tally.ts";

/** The seeds to play: `seeds` seeds from `from` on, distributed to the workers in turn. */
export type Asked = {
  readonly prefix: string;
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
};

/** A part of a campaign that was played without interruption. */
export type Stretch = Where & { readonly began: string; readonly next: readonly number[] };

/** The progress and the results of a range of seeds. */
export type Campaign = Asked & {
  /** The next seed of each worker. */
  readonly next: readonly number[];
  readonly total: SeedTally;
  readonly stretches: readonly Stretch[];
  /** Seeds that failed, and that pass since `commit`. */
  readonly fixedSince: readonly (SeedTally["failures"][number] & { readonly commit: string })[];
};

/** Returns the campaign in a file, if it is for the same range. Otherwise starts a new one. */
export function loadCampaign(path: string | undefined, asked: Asked, where: Where): Campaign {
  const fresh: Campaign = {
    ...asked,
    next: Array.from({ length: asked.workers }, (_, worker) => asked.from + worker),
    total: emptyTally(),
    stretches: [],
    fixedSince: [],
  };
  const kept = path !== undefined && existsSync(path) ? readCampaign(path) : fresh;
  const same = (Object.keys(asked) as (keyof Asked)[]).every((name) => kept[name] === asked[name]);
  const { next, total, stretches, fixedSince = [] } = same ? kept : fresh;
  const stretch: Stretch = { began: new Date().toISOString(), next, ...where };
  return { ...asked, next, total, stretches: [...stretches, stretch], fixedSince };
}

/** Plays the failed seeds once more. A seed that passes now no longer counts as failed. */
export async function playFailedAgain(
  campaign: Campaign,
  isClean: (seed: string) => Promise<boolean>,
): Promise<Campaign> {
  const { total, stretches } = campaign;
  const commit = stretches.at(-1)?.commit ?? "";
  const failures: SeedTally["failures"][number][] = [];
  const fixedSince = [...campaign.fixedSince];
  for (const failure of total.failures) {
    if (await isClean(failure.seed)) fixedSince.push({ ...failure, commit });
    else failures.push(failure);
  }
  return { ...campaign, total: { ...total, failures }, fixedSince };
}

const readCampaign = (path: string): Campaign => JSON.parse(readFileSync(path, "utf8"));

/** Saves the campaign, so that an interrupted one continues from the file. */
export function saveCampaign(path: string | undefined, campaign: Campaign): void {
  if (path === undefined) return;
  const { total, ...head } = campaign;
  saveJson(path, {
    said: sayCampaign(campaign),
    saved: new Date().toISOString(),
    ...head,
    neverHappened: missingFrom(total),
    total: sortTally(total),
  });
}

function sayCampaign({ total, fixedSince, prefix }: Campaign): Said {
  const { seeds, operations, faults, events, simulatedHours, failures } = total;
  const names = (failed: readonly { readonly seed: string }[]) =>
    failed.map(({ seed }) => seed).join(", ");
  const parts = [
    count(seeds, prefix === "" ? "seed" : "brief seed"),
    count(operations, "request to the store", "requests to the store"),
    count(faults, "injected fault"),
    count(events, "event"),
    count(simulatedHours, "simulated hour"),
  ];
  const open = failures.length === 0 ? "" : `: ${names(failures)}`;
  const fixed =
    fixedSince.length === 0 ? "" : `; ${names(fixedSince)} failed at first and pass now`;
  return {
    part: "Simulation",
    ran: parts.join(", "),
    found: `${none(failures.length, "failing seed")}${open}${fixed}`,
  };
}
