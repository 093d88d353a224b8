import type { Through } from "../archive/archive-world.ts";

/**
 * Creates a process that is killed at its n-th request, before or after the table has executed it.
 */
export function mortal(n: number, after: boolean) {
  const { promise: dead, resolve: die } = Promise.withResolvers<void>();
  let left = n;
  const through: Through = async (run) => {
    left--;
    if (left > 0) return run();
    if (left === 0 && after) await run();
    die();
    return new Promise(() => {});
  };
  /** Resolves when the work has ended, or the process was killed. */
  const live = (work: Promise<unknown>) =>
    Promise.race([
      work.then(
        () => {},
        () => {},
      ),
      dead,
    ]);
  return { through, live };
}
