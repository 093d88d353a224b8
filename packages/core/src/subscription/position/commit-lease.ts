import type { CursorContent } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { LedgerError } from "../../kernel/error.ts";
import type { LeaseGuard } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { SubscriptionState } from "../state.ts";
import type { UntilMemory } from "../workers/until-memory.ts";

type Deps = { readonly clock: Clock; readonly untils: UntilMemory };

export type GuardOf = ReturnType<typeof createGuards>;

/** Makes the function that returns the condition of a cursor's commit on a partition's row. */
export function createGuards({ clock, untils }: Deps) {
  return function guardOf(
    { tokens }: Pick<CursorContent, "tokens">,
    row: SubscriptionRow,
    partition: number,
  ): LeaseGuard {
    const nowMs = clock.now();
    const token = tokens?.[partition];
    if (token === undefined) return { token, nowMs, ended: untils.ended(row.uid, partition) };
    return { token, until: nowMs + row.config.leaseSeconds * 1_000 };
  };
}

/** Throws `lease-lost` for a worker's cursor that covers a share of a different worker. */
export function assertHeld(state: SubscriptionState, { tokens = [] }: CursorContent): void {
  assertLeased(
    state.offsets.every(({ partition, lease }) => {
      const token = tokens[partition];
      return token === undefined || token === lease?.token;
    }),
    { tokens },
  );
}

/** Throws `lease-lost` unless the condition holds. A cursor without tokens belongs to no worker. */
export function assertLeased(condition: boolean, { tokens }: Pick<CursorContent, "tokens">): void {
  if (condition) return;
  throw new LedgerError("lease-lost", { detail: tokens === undefined ? NO_WORKER : TAKEN_OVER });
}

const TAKEN_OVER =
  "Another worker has taken over part of what this cursor covers. The part that is still this worker's is committed. Poll again with `consumer`.";
const NO_WORKER =
  "A worker holds what this commit covers, or part of it, which is not committed, because the commit names no worker. Poll with `consumer`, and commit the cursor of that page.";
