import type { EventLedger } from "../../packages/sdk/src/index.ts";
import { STREAM } from "./databases.ts";

export type Verdict = {
  readonly published: number;
  readonly lost: number;
  readonly twice: number;
  readonly disordered: number;
};

/** Compares the log with the written versions: for each key they are 1, 2, 3 and so on. */
export async function judge(
  ledger: EventLedger,
  written: ReadonlyMap<string, number>,
): Promise<Verdict> {
  const versions = new Map<string, number[]>();
  let published = 0;
  for await (const { key, data } of ledger.stream<{ version: number }>(STREAM).read()) {
    const own = versions.get(key) ?? [];
    versions.set(key, own);
    own.push(data?.version ?? 0);
    published += 1;
  }
  return { published, ...count(versions, written) };
}

/**
 * Counts the events that are missing, that are repeated, and that come after a later event of their
 * key.
 */
export function count(
  versions: ReadonlyMap<string, readonly number[]>,
  written: ReadonlyMap<string, number>,
): Omit<Verdict, "published"> {
  let [lost, twice, disordered] = [0, 0, 0];
  for (const [key, last] of written) {
    const own = versions.get(key) ?? [];
    const once = new Set(own);
    lost += last - once.size;
    twice += own.length - once.size;
    let highest = 0;
    for (const version of once) {
      if (version < highest) disordered += 1;
      highest = Math.max(highest, version);
    }
  }
  return { lost, twice, disordered };
}
