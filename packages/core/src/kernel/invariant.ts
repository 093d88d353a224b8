/** A broken promise of the log: a defect or damaged data, never the caller's fault. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws an {@link InvariantError} unless `condition` is true. */
export function assertInvariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}
