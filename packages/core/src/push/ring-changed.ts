import type { Clock } from "../kernel/clock.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { Table } from "../table/table.ts";
import type { PushPort } from "./endpoint.ts";

type Deps = {
  readonly table: Pick<Table, "pushes" | "pushWork">;
  readonly clock: Clock;
  readonly subscriptions: Pick<Subscriptions, "recall">;
  readonly push: PushPort | undefined;
};

/**
 * Rings the push of a subscription, if there is one, after a change that may let more events
 * through. No new batch would ring it. Costs one read, and nothing on a server that does not push.
 */
export async function ringChanged(
  { table, clock, subscriptions, push }: Deps,
  stream: LiveStream,
  subscription: string,
): Promise<void> {
  if (push === undefined) return;
  const { row } = await subscriptions.recall(stream, subscription);
  const id = { life: stream.life, subscriptionUid: row.uid };
  const known = await table.pushes.load(id);
  if (known !== undefined && known.disabled === undefined) {
    await table.pushWork.ring(id, clock.now());
  }
}
