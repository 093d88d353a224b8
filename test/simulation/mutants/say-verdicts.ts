import { count, none, type Said } from "../../proof/record.ts";

type Verdict = { readonly rule: string; readonly killed: boolean; readonly played?: number };

const named = (verdicts: readonly Verdict[]): string =>
  verdicts.length === 0 ? "" : `: ${verdicts.map(({ rule }) => `"${rule}"`).join(", ")}`;

/** Describes the result of the mutation gate, in which every mutant must be killed. */
export function sayGate(verdicts: readonly Verdict[]): Said {
  const alive = verdicts.filter(({ killed }) => !killed);
  return {
    part: "Mutants",
    ran: `${count(verdicts.length, "mutant")}, each until a seed notices it`,
    found: `${none(alive.length, "mutant")} unnoticed${named(alive)}`,
  };
}

/**
 * Describes the result of the same plans on the unchanged product, where no violation may be
 * reported.
 */
export function sayUnspoiled(verdicts: readonly Verdict[]): Said {
  const failed = verdicts.filter(({ killed }) => killed);
  const seeds = verdicts.reduce((sum, { played = 0 }) => sum + played, 0);
  return {
    part: "The mutants' plans, all rules in place",
    ran: `${count(verdicts.length, "plan")}, ${count(seeds, "seed")}`,
    found: `${none(failed.length, "violation")}${named(failed)}`,
  };
}
