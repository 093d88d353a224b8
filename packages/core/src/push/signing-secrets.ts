import { ageMs, type Clock, takeStamp } from "../kernel/clock.ts";
import type { PushRow } from "../table/push.entity.ts";
import type { Table } from "../table/table.ts";
import { type Seal, secretsOf } from "./endpoint.ts";

type Deps = {
  readonly table: { readonly pushes: Pick<Table["pushes"], "load"> };
  readonly clock: Clock;
  readonly seal: Seal;
};

/** A run looks for new secrets at most this often. */
const KNOWN_MS = 1_000;

/**
 * Returns a function that returns the secrets that sign a delivery which begins now. A page may
 * take minutes, and its endpoint may get new secrets meanwhile. Deliveries share each look. While
 * the table does not answer, the secrets that are known sign.
 */
export function signingSecrets(
  { table, clock, seal }: Deps,
  first: PushRow,
): () => Promise<readonly string[]> {
  let row = first;
  let since = takeStamp(clock);
  let looking = Promise.resolve(secretsOf(first, seal, clock.now()));
  return () => {
    if (ageMs(clock, since) < KNOWN_MS) return looking;
    since = takeStamp(clock);
    looking = table.pushes.load(first).then(
      (present) => {
        row = present ?? row;
        return secretsOf(row, seal, clock.now());
      },
      () => secretsOf(row, seal, clock.now()),
    );
    return looking;
  };
}
