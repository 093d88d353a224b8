import { inject } from "vitest";
import type { EngineReport } from "./engine.ts";
import type { Evaluation } from "./evaluate-here.ts";
import { Inventory } from "./inventory.ts";

export { SECRETS } from "./evaluate-here.ts";

/**
 * Returns what a deployment would request. One process evaluates for all test files of the run, and
 * does each evaluation once. Rejects with the program's own errors.
 */
export async function evaluate(evaluation: Evaluation): Promise<Inventory> {
  const body = JSON.stringify(evaluation);
  const answer = await fetch(inject("evaluations"), { method: "POST", body });
  if (!answer.ok) throw new Error(await answer.text());
  return new Inventory((await answer.json()) as EngineReport);
}
