import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { emptyTally, missingFrom, type SeedTally, sortTally, versionsOf } from "./seed-tally.ts";

/** What is to be played: `seeds` seeds from `from` on, dealt out to the workers in turn. */
export type Asked = {
  readonly prefix: string;
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
};

/** A stretch of a campaign that was played without interruption. */
export type Stretch = { readonly began: string; readonly next: readonly number[] } & Record<
  "commit" | "node" | "electrodb" | "processor",
  string
>;

/** How far a range of seeds is played, and what came of it. */
export type Campaign = Asked & {
  /** The next seed of each worker. */
  readonly next: readonly number[];
  readonly total: SeedTally;
  readonly stretches: readonly Stretch[];
  /** Seeds that failed, and that nothing is wrong with since `commit`. */
  readonly mended: readonly (SeedTally["failures"][number] & { readonly commit: string })[];
};

/** The commit that is checked out, and what it runs on. */
export function whereWeAre(): Omit<Stretch, "began" | "next"> {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const sources = [
    "packages",
    "test/sim",
    "test/model",
    "test/history",
    "test/blackbox",
    "test/fault",
  ];
  const changed = git("status", "--porcelain", "--", ...sources);
  const commit = `${git("rev-parse", "HEAD")}${changed === "" ? "" : " and changes"}`;
  return { commit, ...versionsOf().versions, processor: cpus()[0]?.model.trim() ?? "unknown" };
}

/** The campaign of a file, to be gone on with when it was asked for the same; else a new one. */
export function loadCampaign(
  path: string | undefined,
  asked: Asked,
  where: ReturnType<typeof whereWeAre>,
): Campaign {
  const fresh: Campaign = {
    ...asked,
    next: Array.from({ length: asked.workers }, (_, worker) => asked.from + worker),
    total: emptyTally(),
    stretches: [],
    mended: [],
  };
  const kept = path !== undefined && existsSync(path) ? readCampaign(path) : fresh;
  const same = (Object.keys(asked) as (keyof Asked)[]).every((name) => kept[name] === asked[name]);
  const { next, total, stretches, mended } = same ? kept : fresh;
  const stretch: Stretch = { began: new Date().toISOString(), next, ...where };
  return { ...asked, next, total, stretches: [...stretches, stretch], mended };
}

/** Plays the seeds that failed once more: what is mended since then no longer counts as failed. */
export async function playFailedAgain(
  campaign: Campaign,
  isClean: (seed: string) => Promise<boolean>,
): Promise<Campaign> {
  const { total, stretches } = campaign;
  const commit = stretches.at(-1)?.commit ?? "";
  const failures: SeedTally["failures"][number][] = [];
  const mended = [...campaign.mended];
  for (const failure of total.failures) {
    if (await isClean(failure.seed)) mended.push({ ...failure, commit });
    else failures.push(failure);
  }
  return { ...campaign, total: { ...total, failures }, mended };
}

const readCampaign = (path: string): Campaign => JSON.parse(readFileSync(path, "utf8"));

/** Writes the file anew, at once: an interruption leaves the former one. */
export function saveCampaign(path: string | undefined, campaign: Campaign): void {
  if (path === undefined) return;
  const { total, ...head } = campaign;
  const saved = {
    ...{ saved: new Date().toISOString(), ...head },
    ...{ neverHappened: missingFrom(total), total: sortTally(total) },
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(saved, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}
