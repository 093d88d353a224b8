import type { Through } from "./archive-world.ts";

class Killed extends Error {}

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
