import { DEPTH } from "../../../support/depth.ts";
import type { Through } from "./archive-world.ts";

class Killed extends Error {}

const EVERY = DEPTH > 1 ? 1 : 3;

/**
 * The requests at which a process is killed, without an end. `npm run test:deep` kills at each, and
 * `npm test` at every third from `first` on.
 */
export function* killPoints(first: number): Generator<number> {
  for (let at = first % EVERY; ; at += EVERY) yield at;
}

/** Kills a process before its request number `at`, or between that request and its answer. */
export const killAt = (at: number, when: "before" | "after") => {
  let requests = 0;
  let isDead = false;
  const through: Through = async (run) => {
    if (isDead) return new Promise(() => {});
    const isLast = requests++ === at;
    if (isLast && when === "before") isDead = true;
    if (isDead) throw new Killed();
    const answer = await run();
    if (isLast) isDead = true;
    if (isDead) throw new Killed();
    return answer;
  };
  return { through, isDead: () => isDead };
};

/** Runs the work of a process until it ends or the process is killed. */
export async function untilKilled(work: Promise<unknown>, isDead: () => boolean): Promise<void> {
  let over = false;
  work.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  while (!(over || isDead())) await new Promise((resolve) => setImmediate(resolve));
}
