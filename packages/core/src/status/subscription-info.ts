import {
  type Lag,
  LIMITS,
  type ListedSubscription,
  type Subscription,
  type SubscriptionInfo,
} from "@eventledger/protocol";
import type { Cursors } from "../cursor/cursor.ts";
import type { Log } from "../log/log.ts";
import { chainCount } from "../model/epochs.ts";
import { bareName, lifeText } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { normalFilter, normalReads } from "../subscription/filter.ts";
import { allParked } from "../subscription/parking/parking-plan.ts";
import { isInSnapshot, progressOf, snapshotProgressOf } from "../subscription/position/progress.ts";
import { warningsOf } from "../subscription/settings/change-plan.ts";
import type { SubscriptionState } from "../subscription/state.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { Leases } from "../subscription/workers/leases.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import { countKeysBehind } from "./keys-behind.ts";

type Deps = {
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  readonly leases: Leases;
  readonly cursors: Cursors;
};

/** Describes a subscription to its clients: its settings and its progress. */
export function createSubscriptionInfo({ subscriptions, log, leases, cursors }: Deps) {
  /**
   * Returns the full description. It reads the events after the committed offset if they are few
   * enough to count their keys.
   */
  async function describe(stream: LiveStream, state: SubscriptionState): Promise<SubscriptionInfo> {
    const [progress, members] = await Promise.all([
      subscriptions.lag(stream, state).then((lag) => progressAt(stream, state, lag)),
      leases.list(stream, state),
    ]);
    const keysBehind = await countKeysBehind(log, stream, state, progress.lag.events);
    return {
      ...toSubscription(stream, state.row),
      ...progress,
      keysBehind: keysBehind ?? null,
      members: members.map(({ until, ...member }) => ({
        ...member,
        until: new Date(until).toISOString(),
      })),
    };
  }

  /** Describes the progress of a subscription that has this lag. */
  function progressAt(stream: LiveStream, state: SubscriptionState, lag: Lag) {
    const snapshot = snapshotProgressOf(state.bootstrap);
    return {
      phase: snapshot === undefined ? ("log" as const) : ("bootstrap" as const),
      ...(snapshot === undefined ? {} : { snapshot }),
      position: positionOf(stream, state),
      warnings: warningsOf(state.row, state.generation),
      lag,
      parkedKeys: allParked(state).length,
    };
  }

  /** Returns listed subscriptions with their progress, without those deleted since then. */
  async function measureListed(
    stream: LiveStream,
    rows: readonly SubscriptionRow[],
  ): Promise<ListedSubscription[]> {
    const states = await subscriptions.refreshAll(stream, rows);
    const lags = await subscriptions.lags(stream, states);
    return states.flatMap((state, index) => {
      const lag = lags[index];
      if (lag === undefined) return [];
      return [{ ...toSubscription(stream, state.row), ...progressAt(stream, state, lag) }];
    });
  }

  /**
   * Returns the committed offset of a subscription as a cursor of the stream. Null while a snapshot
   * is read.
   */
  function positionOf(stream: LiveStream, state: SubscriptionState): string | null {
    const { positions, bootstrap } = progressOf(state);
    if (isInSnapshot(bootstrap)) return null;
    const rest = bootstrap === undefined ? {} : { bootstrap };
    return cursors.format({ life: lifeText(stream), positions, nextPartition: 0, ...rest });
  }

  return { describe, measureListed };
}

/**
 * Returns how many subscriptions of a stream one answer may measure. Each position may cost a few
 * reads.
 */
export const measuredAtOnce = (stream: Pick<LiveStream, "partitions" | "epochs">): number =>
  Math.max(1, Math.floor(LIMITS.streamPositionsMax / chainCount(stream)));

/** Returns the settings of a subscription. */
export const toSubscription = (stream: LiveStream, row: SubscriptionRow): Subscription => ({
  name: row.name,
  stream: bareName(row.stream),
  start: row.config.start,
  ...(row.config.filter === undefined ? {} : { filter: normalFilter(row.config.filter) }),
  leaseSeconds: row.config.leaseSeconds,
  ...(row.config.maxDeliveries === undefined ? {} : { maxDeliveries: row.config.maxDeliveries }),
  ...(row.config.reads === undefined ? {} : { reads: normalReads(row.config.reads) }),
  createdAt: new Date(row.createdAt).toISOString(),
  life: lifeText(stream),
});
