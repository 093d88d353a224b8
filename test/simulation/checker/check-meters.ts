import type { Chains, Report } from "./chains.ts";
import type { Line } from "./history.ts";

/** How exact a quota is in the long run. */
const PART = 0.05;
/** A burst: a full bucket, and tokens that were taken in advance. */
const BURST_SECONDS = 4;
/** A process remembers a quota for so long, also that there is none. */
const MEMORY_MS = 61_000;

type Quota = { readonly perSecond: number; readonly fromMs: number };

/**
 * Checks that usage equals the log, and that quotas hold over all processes. Requests that passed
 * without a known limit, because the table did not answer, do not count.
 */
export function checkMeters(lines: readonly Line[], chains: Chains, report: Report): void {
  checkUsage(lines, chains, report);
  const administers = new Set<number>();
  let quota: Quota | undefined;
  let excess = 0;
  let lastMs = 0;
  let thirst: { readonly atMs: number; passed: number } | undefined;
  for (const line of lines) {
    const { atMs } = line;
    if (line.type === "info") {
      if (line.op === "quota") quota = { perSecond: line.perSecond, fromMs: atMs + MEMORY_MS };
      if (line.op === "thirst") thirst = { atMs, passed: 0 };
      if (line.op !== "quenched" || thirst === undefined || quota === undefined) continue;
      const allowed = ((atMs - thirst.atMs) / 1_000) * quota.perSecond;
      if (thirst.passed < allowed * (1 - PART) - 1) {
        report("quota-under", atMs, `${thirst.passed} of ${allowed} passed`);
      }
      thirst = undefined;
      continue;
    }
    if (line.op !== "meter") continue;
    if (line.type === "invoke") {
      if (line.kind === "administration") administers.add(line.call);
      continue;
    }
    const isAdministration = administers.has(line.call);
    if (line.type !== "ok") {
      const isKnown = ["quota-exceeded", "no-answer"].includes(line.code);
      if (!isKnown && !isAdministration) report("quota-shut", atMs, `${line.call}: ${line.code}`);
      continue;
    }
    if (quota === undefined || atMs < quota.fromMs) continue;
    if (!line.isLimited) {
      if (isAdministration) report("quota-open", atMs, `${line.call} passed`);
      continue;
    }
    if (thirst !== undefined) thirst.passed++;
    const refilled = ((atMs - lastMs) / 1_000) * quota.perSecond * (1 + PART);
    excess = Math.max(0, excess - refilled) + 1;
    lastMs = atMs;
    if (excess > quota.perSecond * BURST_SECONDS) {
      report("quota-over", atMs, `${excess} more than ${quota.perSecond} a second`);
    }
  }
}

/**
 * Usage has every event of every life once. A restore loses events that were counted, and a repair
 * finds that events have expired, so there only an upper bound holds, or none.
 */
function checkUsage(lines: readonly Line[], chains: Chains, report: Report): void {
  const has = (op: string) => lines.some((line) => line.type === "info" && line.op === op);
  const isRestored = has("restored");
  const isRepaired = has("repair");
  const written = [...chains.all.values()].reduce((sum, { events }) => sum + events.length, 0);
  for (const line of lines) {
    if (line.type !== "info" || line.op !== "usage") continue;
    const { atMs, events, isWhole, stateBytes, rowBytes } = line;
    const isLess = events < written && isWhole && !isRepaired;
    if (!isRestored && (events > written || isLess)) {
      report("usage-mismatch", atMs, `${events} instead of ${written} events`);
    }
    if (stateBytes !== rowBytes) {
      report("state-mismatch", atMs, `${stateBytes} instead of ${rowBytes} bytes`);
    }
  }
}
