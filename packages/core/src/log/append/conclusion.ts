import { streamNotFound } from "../../kernel/error.ts";
import { TurnReached } from "../../model/epochs.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import { outcomeUnknown } from "./append-error.ts";
import { type AppendPlan, type CancelReading, readCancelled } from "./append-plan.ts";
import type { Attempt } from "./attempt.ts";
import type { Claims } from "./claims.ts";
import type { EndMemory } from "./end-memory.ts";
import type { LastEvents } from "./last-events.ts";
import type { Sent } from "./send.ts";
import type { Line } from "./tickets.ts";
import { requestsOf, settle, settleByReceipt, type Waiting } from "./waiting.ts";

type Deps = {
  readonly ends: Pick<EndMemory, "forget" | "written" | "lost">;
  readonly lastEvents: Pick<LastEvents, "written">;
  readonly claims: Pick<Claims, "passed">;
  readonly observe: (step: "Appends" | "AppendConflicts") => void;
};

type SentAttempt = Extract<Attempt, { kind: "sent" }>;

/**
 * Settles the requests of an attempt by its verdict, and remembers what the verdict shows. Returns
 * the requests that have to retry. An attempt ends in one of these states:
 *
 * - landed: all requests are settled with their receipts
 * - settled: requests with an already settled idempotency key are settled; the others retry
 * - sealed: all are settled with `stream-not-found`
 * - turned: all are settled with `TurnReached`
 * - lost: another writer was faster; all retry
 * - unknown: all are settled with `outcome-unknown`
 */
export function createConclusion({ ends, lastEvents, claims, observe }: Deps) {
  return function conclude(attempt: SentAttempt, line: Pick<Line, "lost">): readonly Waiting[] {
    const { plan, verdict, live } = attempt;
    const reading = read(plan, verdict);
    switch (reading.kind) {
      case "landed":
        landed(attempt);
        break;
      case "settled":
        settleByRows(live, reading.rows);
        if (showsRival(verdict)) concede(attempt, line);
        break;
      case "sealed":
        for (const item of live) settle(item, () => item.reject(streamNotFound()));
        break;
      case "turned":
        ends.forget(plan.append.life, plan.ends.keys());
        for (const item of live) settle(item, () => item.reject(new TurnReached()));
        break;
      case "lost":
        observe("AppendConflicts");
        concede(attempt, line);
        break;
      case "unknown":
        ends.forget(plan.append.life, plan.ends.keys());
        for (const item of live) settle(item, () => item.reject(outcomeUnknown(reading.cause)));
    }
    return live.filter(({ settled }) => !settled);
  };

  function landed({ plan, verdict, live }: SentAttempt): void {
    const { life } = plan.append;
    observe("Appends");
    ends.written(life, plan, verdict.stamp);
    lastEvents.written(plan, requestsOf(live), verdict.stamp);
    for (const [index, item] of live.entries()) {
      const receipt = plan.receipts[index];
      if (receipt) settle(item, () => item.resolve({ receipt, replayed: false }));
    }
  }

  /** Other writers were faster. Remembers their batches, and lets them go first. */
  function concede({ plan, verdict, live }: SentAttempt, line: Pick<Line, "lost">): void {
    const { life } = plan.append;
    const found = verdict.kind === "cancelled" ? verdict.batches : [];
    for (const batch of found) if (batch !== undefined) claims.passed(requestsOf(live), batch);
    const lost = ends.lost(life, plan, found, verdict.stamp);
    if (lost.size === 0) ends.forget(life, plan.ends.keys());
    for (const partition of lost) line.lost(partition);
  }
}

/** Settles the requests whose idempotency key has one of these rows. */
function settleByRows(live: readonly Waiting[], rows: ReadonlyMap<string, ReceiptRow>): void {
  for (const item of live) settleByReceipt(item, rows.get(item.request.idempotency?.key ?? ""));
}

type Reading = CancelReading | { readonly kind: "unknown"; readonly cause: unknown };

function read(plan: AppendPlan, verdict: Sent): Reading {
  if (verdict.kind === "written") return { kind: "landed" };
  return verdict.kind === "cancelled" ? readCancelled(plan, verdict) : verdict;
}

/** Whether a different batch occupies the place of this one. */
const showsRival = (verdict: Sent): boolean =>
  verdict.kind === "cancelled" && verdict.batches.some((batch) => batch !== undefined);
