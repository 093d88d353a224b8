import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS, type Mutant } from "./mutants.ts";
import { createCopy } from "./mutated-copy.ts";

/** The result for a mutant: the seed that killed it, and the violations. */
export type Verdict = {
  readonly rule: string;
  readonly killed: boolean;
  readonly seed?: string;
  readonly played: number;
  readonly violations: readonly string[];
  readonly detail?: string;
};

export type GateOptions = {
  /** The maximum number of seeds for each mutant, besides the one that is known to kill it. */
  readonly count: number;
  readonly minutesEach: number;
  readonly workers: number;
  /** The rules to remove. The default is all of them. */
  readonly only?: readonly string[] | undefined;
  readonly onVerdict?: (verdict: Verdict) => void;
};

const KNOWN = join(import.meta.dirname, "killers.json");

/** Loads the seed that is known to kill each mutant. */
export const loadKillers = (): Record<string, string> =>
  existsSync(KNOWN) ? JSON.parse(readFileSync(KNOWN, "utf8")) : {};

/** Removes every rule in turn and plays seeds until the history checker reports a violation. */
export async function runGate(options: GateOptions): Promise<Verdict[]> {
  const { only, workers, onVerdict = () => {} } = options;
  const left = MUTANTS.filter(({ rule }) => only?.includes(rule) ?? true);
  const killers = loadKillers();
  const verdicts = new Map<string, Verdict>();
  const work = async (): Promise<void> => {
    const copy = createCopy();
    try {
      for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
        copy.apply(mutant);
        const verdict = await hunt(copy.folder, mutant, killers[mutant.rule], options);
        copy.restore();
        verdicts.set(mutant.rule, verdict);
        onVerdict(verdict);
      }
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return MUTANTS.flatMap(({ rule }) => verdicts.get(rule) ?? []);
}

/**
 * Plays the same plans without removing a rule. If these plans also reported violations, the gate
 * would prove nothing.
 */
export async function runUnspoiled(count: number): Promise<Verdict[]> {
  const copy = createCopy();
  const verdicts: Verdict[] = [];
  try {
    for (const mutant of MUTANTS) {
      const options = { count, minutesEach: 5, workers: 1 };
      verdicts.push(await hunt(copy.folder, mutant, loadKillers()[mutant.rule], options));
    }
  } finally {
    copy.remove();
  }
  return verdicts;
}

async function hunt(
  folder: string,
  { rule, plan = {}, by }: Mutant,
  killer: string | undefined,
  { count, minutesEach }: Pick<GateOptions, "count" | "minutesEach">,
): Promise<Verdict> {
  const known = by ?? killer;
  const seeds = known === undefined ? [] : [known];
  const task = { seeds, from: 0, count, plan, minutes: minutesEach, by };
  const script = join(folder, "test/simulation/mutants/hunt.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(task)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  const found = output.trim().split("\n").at(-1) ?? "";
  // A mutant that does not run at all has not been killed by the checker.
  if (!found.startsWith("{")) throw new Error(`"${rule}" does not run: ${errors.slice(0, 2_000)}`);
  const { seed, played, violations, detail } = JSON.parse(found);
  const killed = violations.length > 0;
  return { rule, killed, played, violations, ...(killed ? { seed, detail } : {}) };
}

export const printVerdict = ({ rule, killed, seed, played, violations }: Verdict): string =>
  `${killed ? "killed  " : "SURVIVED"} ${rule.padEnd(62)} ${(seed ?? "-").padStart(6)} ${String(played).padStart(6)}  ${violations.join(", ")}`;
