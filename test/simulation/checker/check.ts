import { createReport, indexChains } from "./chains.ts";
import { checkAccess } from "./check-access.ts";
import { checkCompaction } from "./check-compaction.ts";
import { checkErasures } from "./check-erasures.ts";
import { checkExpectations } from "./check-expectations.ts";
import { checkGrowth } from "./check-growth.ts";
import { checkLists } from "./check-lists.ts";
import { checkMeters } from "./check-meters.ts";
import { checkParking } from "./check-parking.ts";
import { checkPublishes } from "./check-publishes.ts";
import { checkPushes } from "./check-pushes.ts";
import { checkReads } from "./check-reads.ts";
import { checkWorkers } from "./check-workers.ts";
import type { Line, Violation } from "./history.ts";
import { createRetentions, type Retentions } from "./retentions.ts";

export type CheckOptions = {
  /** The retention of new streams. */
  readonly retentionMs: number;
  /** The maximum difference between the clocks of processes and true time. */
  readonly skewMs: number;
  /** The stream has an archive that keeps everything, so no event may disappear. */
  readonly archived?: boolean;
};

/** The parameters of the rules for reading and compacting. */
export type KeptFor = Pick<CheckOptions, "skewMs"> & { readonly retentions: Retentions };

/**
 * Returns every contradiction between a history and the promises. Takes time and memory in
 * proportion to the history.
 */
export function checkHistory(lines: readonly Line[], options: CheckOptions): Violation[] {
  const { report, found } = createReport();
  const chains = indexChains(lines, report);
  checkPublishes(lines, chains, report);
  checkExpectations(lines, chains, report);
  // After a repair of the numbering, earlier events are in the archive, but readers cannot reach
  // them.
  const isRepaired = lines.some((line) => line.type === "info" && line.op === "repair");
  const retentions =
    options.archived && !isRepaired
      ? { leastMs: () => Number.POSITIVE_INFINITY }
      : createRetentions(lines, options.retentionMs, options.skewMs);
  checkErasures(lines, chains, report, options);
  checkReads(lines, chains, report, { ...options, retentions });
  checkCompaction(lines, chains, report, { ...options, retentions });
  checkGrowth(lines, report);
  checkLists(lines, chains, report, options);
  const rules = { chains, report, options: { ...options, retentions } };
  checkParking(lines, rules);
  checkWorkers(lines, rules);
  checkPushes(lines, rules);
  checkAccess(lines, report);
  checkMeters(lines, chains, report);
  for (const line of lines) {
    if (line.type === "unknown" && line.code.startsWith("internal")) {
      report("internal-error", line.atMs, `${line.op} ${line.call}: ${line.code}`);
    }
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}
