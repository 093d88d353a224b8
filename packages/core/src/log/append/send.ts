import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import { again, backOff, retry } from "../../kernel/retry.ts";
import type { AppendVerdict } from "../../table/append-rows.ts";
import type { Table } from "../../table/table.ts";
import { outcomeUnknown, streamBusy } from "./append-error.ts";
import type { AppendPlan } from "./append-plan.ts";
import { MEMORY_MS } from "./end-memory.ts";
import { expire, type Waiting } from "./waiting.ts";

type Deps = {
  readonly table: Pick<Table, "append">;
  readonly clock: Clock;
  readonly random: Random;
  /** Called before each put. */
  readonly onPut: () => void;
  /** Called with the duration of each put that has a verdict. */
  readonly onVerdict: (tookMs: number) => void;
};

/** The outcome of a plan. `stamp` is when its last copy was sent. */
export type Sent = AppendVerdict & { readonly stamp: Stamp };

export const PUT_BACKOFF = { baseMs: 20, capMs: 400 };

/**
 * Sends a plan until its outcome is known. It always sends the same content with the same keys,
 * because a second key causes duplicates while the first one is undecided. The number of copies has
 * no limit: the deadline of the requests (`queue.ts`) ends them. A read from more than a
 * minute ago is no basis for a decision: a process that was frozen may be writing into the past. A
 * plan passes through these states:
 *
 * 1. unsent: `stream-busy` if the stream's row is too old, `expired` if an end is
 * 2. sent and undecided: sent again after a back-off; requests past their deadline get
 *    `outcome-unknown`
 * 3. decided: `written` or `cancelled`
 * 4. given up as `unknown`: its reads are too old by now, or no request still waits for it
 */
export async function send(
  deps: Deps,
  plan: AppendPlan,
  live: readonly Waiting[],
  ends: readonly Stamp[],
): Promise<Sent | "expired"> {
  const { table, clock, onPut, onVerdict } = deps;
  const isOld = (of: readonly Stamp[]) => of.some((each) => ageMs(clock, each) > MEMORY_MS);
  const targets = live.map(({ target }) => target.stamp);
  if (isOld(targets)) throw streamBusy();
  if (isOld(ends)) return "expired";
  const grounds = [...targets, ...ends];
  let cause: unknown;
  return retry<Sent>({ pause: backOff(deps, PUT_BACKOFF) }, async (sent) => {
    const stamp = takeStamp(clock);
    if (isOld(grounds)) return { kind: "unknown", cause, stamp };
    onPut();
    const verdict = await table.append.put(plan.append).catch((error: unknown) => {
      // A refusal concerns only this copy. An earlier copy may have been written.
      if (sent === 0) throw error;
      return { kind: "unknown", cause: error } as const;
    });
    const old = isOld(grounds);
    if (verdict.kind === "unknown") cause = verdict.cause;
    else onVerdict(clock.monotonic() - stamp.monotonicMs);
    if (verdict.kind !== "unknown" && !old) return { ...verdict, stamp };
    const left = expire(live, clock.monotonic(), () => outcomeUnknown(cause));
    if (left.length === 0 || old) return { kind: "unknown", cause, stamp };
    return again();
  });
}
