import type { PatchSubscription } from "@eventledger/protocol";
import { LedgerError } from "../../kernel/error.ts";
import { again, retry } from "../../kernel/retry.ts";
import { chainCount } from "../../model/epochs.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { Table } from "../../table/table.ts";
import type { SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { admitsMore, NARROWED, planChange, warningsOf } from "./change-plan.ts";

type Deps = { readonly table: Table; readonly subscriptions: Subscriptions };

export type Changed = {
  readonly state: SubscriptionState;
  /** Warnings about the current filter for the consumer. */
  readonly warnings: readonly string[];
};

const TRIES = 5;

/**
 * Changes the settings of a subscription, its row and its positions in one transaction. The
 * committed offset stays in place. A new filter voids all earlier cursors, like a seek to the same
 * place. Parked keys stay parked. Repeating the call is harmless. Throws `outcome-unknown` when
 * other requests keep changing the subscription at the same moment.
 */
export async function change(
  { table, subscriptions }: Deps,
  stream: LiveStream,
  name: string,
  asked: PatchSubscription,
): Promise<Changed> {
  let former: SubscriptionState | undefined;
  return retry<Changed>({ tries: TRIES, giveUp: changedByOthers }, async () => {
    const state = await subscriptions.load(stream, name);
    const plan = planChange(state.row, state.generation, asked);
    if (plan === undefined) return { state, warnings: warningsAfter(former ?? state, state) };
    former ??= state;
    await table.lifecycle.changeSubscription(stream.life, state.row, plan, {
      generation: state.generation,
      partitions: chainCount(stream),
      rows: state.offsets[0]?.rows,
    });
    subscriptions.forget(stream, name);
    return again();
  });
}

function changedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Concurrent requests changed this subscription. Send the request again.",
    retryAfterSeconds: 1,
  });
}

function warningsAfter(
  former: SubscriptionState,
  { row, generation }: SubscriptionState,
): string[] {
  const [before, after] = [former.row.config.filter, row.config.filter];
  const narrowed = admitsMore(after, before);
  return [...warningsOf(row, generation), ...(narrowed ? [NARROWED] : [])];
}
