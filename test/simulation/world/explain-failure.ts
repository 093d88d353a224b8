import type { Plan } from "./plan.ts";
import { printFailure } from "./print-failure.ts";
import { shrinkPlan } from "./shrink.ts";
import { type Simulated, simulate } from "./simulate.ts";

const SHRINK_MS = 30_000;

/**
 * Describes a failed seed for a developer: the smallest plan that still fails in the same way, how
 * to play it, and its schedule. Takes at most half a minute.
 */
export async function explainFailure(failed: Simulated, withinMs = SHRINK_MS): Promise<string> {
  const name = failed.violations[0]?.name;
  const endMs = performance.now() + withinMs;
  let smallest = failed;
  const fails = async (plan: Plan): Promise<boolean> => {
    const played = await simulate(failed.seed, plan);
    const same = played.violations.some((violation) => violation.name === name);
    if (same) smallest = played;
    return same;
  };
  const { without, tried } = await shrinkPlan(failed.plan, fails, () => performance.now() < endMs);
  return [
    `SEED=${failed.seed} npm run sim fails: ${failed.violations.length} times, ${name} first.`,
    `It needs none of these (${tried} plans tried): ${without.join(", ") || "-"}.`,
    `Of ${failed.history.length} lines of history ${smallest.history.length} are left.`,
    `PLAN='${JSON.stringify(smallest.plan)}' \\`,
    printFailure(smallest),
  ].join("\n");
}
