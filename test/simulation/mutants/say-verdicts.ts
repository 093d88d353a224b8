import { count, none, type Said } from "../../proof/record.ts";

type Verdict = { readonly rule: string; readonly killed: boolean; readonly played?: number };

const named = (verdicts: readonly Verdict[]): string =>
  verdicts.length === 0 ? "" : `: ${verdicts.map(({ rule }) => `"${rule}"`).join(", ")}`;

/** The sentence of the mutation gate, where every mutant has to be noticed. */
export function sayGate(verdicts: readonly Verdict[]): Said {
  const alive = verdicts.filter(({ killed }) => !killed);
  return {
    part: "Mutants",
    ran: `${count(verdicts.length, "mutant")}, each until a seed notices it`,
    found: `${none(alive.length, "mutant")} unnoticed${named(alive)}`,
  };
}

/** The sentence of the same plans on the product as it is, where nothing may be noticed. */
export function sayUnspoiled(verdicts: readonly Verdict[]): Said {
  const failed = verdicts.filter(({ killed }) => killed);
  const seeds = verdicts.reduce((sum, { played = 0 }) => sum + played, 0);
  return {
    part: "The mutants' plans, all rules in place",
    ran: `${count(verdicts.length, "plan")}, ${count(seeds, "seed")}`,
    found: `${none(failed.length, "violation")}${named(failed)}`,
  };
}
