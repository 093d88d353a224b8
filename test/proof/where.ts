import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { versionsOf } from "../simulation/world/seed-tally.ts";

/** The commit under test and the versions that it runs on. */
export type Where = Readonly<Record<"commit" | "node" | "electrodb" | "processor", string>>;

/** The folders whose files decide the result of a run. */
const SOURCES = ["packages", "test"];

/** Returns the commit that is checked out, and says when files differ from it. */
export function whereWeAre(): Where {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", ...SOURCES);
  const commit = `${git("rev-parse", "HEAD")}${changed === "" ? "" : " and changes"}`;
  return { commit, ...versionsOf().versions, processor: cpus()[0]?.model.trim() ?? "unknown" };
}
