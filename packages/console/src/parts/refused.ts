import { LedgerProblem } from "../../../sdk/src/errors.ts";

let onRefused = (): void => {};

/** Sets what happens when the server no longer accepts the key or the token of this page. */
export function whenRefused(run: () => void): void {
  onRefused = run;
}

/** Ends the session when the server refuses its key or token. Returns whether it did. */
export function endIfRefused(error: unknown): boolean {
  if (!LedgerProblem.is(error, "unauthorized")) return false;
  onRefused();
  return true;
}
