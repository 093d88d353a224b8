import type { CursorContent } from "../cursor/cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import { subscriptionNotFound } from "../kernel/error.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { newUid, type Random } from "../kernel/random.ts";
import type { Log } from "../log/log.ts";
import { CHAINS_MAX, chainCount } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { lifeOf } from "../model/names.ts";
import type { Position } from "../model/position.ts";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { toDeletion } from "../table/deletion.entity.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import type { Covers } from "./covered.ts";
import type { Matches } from "./filter.ts";
import { createKnownSubscriptions } from "./known-subscriptions.ts";
import { createCommits, type Replacement } from "./position/commit-writes.ts";
import { createSubscriptionLag } from "./position/lag.ts";
import { isInSnapshot, offsetsOf, type Progress, pendingProgress } from "./position/progress.ts";
import { assertSameConfig, type NewSubscription, normalConfig } from "./settings/config.ts";
import type { SubscriptionState } from "./state.ts";

/** Snapshots of the compacted state, which bootstraps read. */
export type Snapshots = {
  /** Throws `not-compacted` when the stream has no compacted state. */
  assertPossible(stream: LiveStream): void;
  /** Returns the positions that a snapshot of what changed since a cursor follows. */
  positionsSince(
    stream: LiveStream,
    cursor: Pick<CursorContent, "positions" | "since">,
  ): Promise<Position[]>;
  /** Throws `changes-passed` when the changes since these positions are not known any more. */
  assertReachesBack(stream: LiveStream, since: readonly (Position | undefined)[]): Promise<void>;
  /** Begins the snapshot that is pending: of all keys, or of those that changed since a cursor. */
  begin(stream: LiveStream, pending: Bootstrap): Promise<Bootstrap>;
  loadPage(
    stream: LiveStream,
    bootstrap: Bootstrap,
    page: { limit: number; prefix?: string | undefined; matches?: Matches | undefined },
  ): Promise<{ events: readonly StoredEvent[]; bootstrap: Bootstrap; ended: boolean }>;
};

export type SubscriptionDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshots: Snapshots;
};

/** Creates, reads and deletes subscriptions and their committed offsets. */
export function createSubscriptions({ table, clock, random, log, snapshots }: SubscriptionDeps) {
  const { look, remember, ...known } = createKnownSubscriptions({ table, clock });
  const { refresh, forget, untils } = known;

  /**
   * Creates a subscription, or finds an identical one. `at` looks up its start; undefined means a
   * snapshot. Throws `subscription-exists` when one of that name has different settings.
   */
  async function create(
    stream: LiveStream,
    { name, ...asked }: NewSubscription,
    at: () => Promise<Progress | undefined>,
  ): Promise<{ row: SubscriptionRow; created: boolean }> {
    const config = normalConfig(asked);
    const existing = await table.subscriptions.load(stream.name, stream.uid, name);
    if (existing !== undefined) return { row: assertSameConfig(existing, config), created: false };
    const offsets = offsetsOf((await at()) ?? pendingBootstrap(stream), 1);
    await removeStale(stream, name);
    const row: SubscriptionRow = {
      stream: stream.name,
      name,
      uid: newUid(random),
      streamUid: stream.uid,
      config,
      createdAt: clock.now(),
    };
    if (await table.lifecycle.createSubscription(stream.life, row, offsets)) {
      return { row, created: true };
    }
    const winner = await table.subscriptions.load(stream.name, stream.uid, name);
    if (winner === undefined) throw subscriptionNotFound();
    if (winner.uid === row.uid) return { row, created: true };
    return { row: assertSameConfig(winner, config), created: false };
  }

  function pendingBootstrap(stream: LiveStream): Progress {
    snapshots.assertPossible(stream);
    return pendingProgress(stream);
  }

  /**
   * Removes positions of an earlier life's subscription. They would be unreachable after its row is
   * replaced.
   */
  async function removeStale(stream: LiveStream, name: string): Promise<void> {
    const stale = await table.subscriptions.loadStale(stream.name, stream.uid, name);
    if (stale === undefined) return;
    const life = lifeOf(stream.name, stale.streamUid);
    await table.lifecycle.removeSubscription(life, stale, CHAINS_MAX);
  }

  /**
   * Deletes a subscription and its positions. A repeated call succeeds for a day. Throws
   * `subscription-not-found` for a subscription that never existed, and for one that is not
   * covered.
   */
  async function remove(stream: LiveStream, name: string, covers: Covers): Promise<void> {
    const row = await table.subscriptions.load(stream.name, stream.uid, name);
    const of = `SUB#${stream.life}` as const;
    if (row === undefined) {
      const reach = await table.deletions.load(of, name);
      const { keyPrefix } = reach ?? {};
      const filter = keyPrefix === undefined ? undefined : { keyPrefix };
      if (reach !== undefined && covers({ name, config: { filter } })) return;
      throw subscriptionNotFound();
    }
    if (!covers(row)) throw subscriptionNotFound();
    const { keyPrefix } = row.config.filter ?? {};
    const bound = keyPrefix === undefined ? {} : { keyPrefix };
    const reach = { scopes: [], streams: [], ...bound };
    const deletion = toDeletion({ of, name, reach }, clock.now());
    await table.lifecycle.removeSubscription(stream.life, row, chainCount(stream), deletion);
    forget(stream, name);
  }

  /**
   * Moves all positions at once. Undefined when the subscription no longer matches `state`: its
   * generation has changed, or, at a snapshot's end, the place in it or the worker.
   */
  async function replace(
    stream: LiveStream,
    state: SubscriptionState,
    { to, generation, end }: Replacement,
  ): Promise<SubscriptionState | undefined> {
    const began = look();
    const offsets = offsetsOf(to, generation);
    const isPlaced = isInSnapshot(to.bootstrap) || offsets.every(({ next }) => next > 0);
    assertInvariant(isPlaced, `${state.row.name} is put to a place`);
    const from = { generation: state.generation, rows: state.offsets[0]?.rows, end };
    const { uid } = state.row;
    const done = await table.lifecycle.replaceOffsets(stream.life, uid, from, offsets);
    const { rows } = from;
    const counted = rows === undefined ? offsets : offsets.map((row) => ({ ...row, rows }));
    if (done === true) return remember(stream, state.row, began, counted);
    forget(stream, state.row.name);
    if (done === false) return undefined;
    const found = await refresh(stream, state);
    return found.generation === generation && isThere(found, to) ? found : undefined;
  }

  return {
    ...known,
    create,
    remove,
    ...createSubscriptionLag({ clock, log }),
    replace,
    ...createCommits({ table, log, clock, untils, look, refresh, remember, replace }),
  };
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** Returns whether an earlier attempt of the same move succeeded and its answer was lost. */
const isThere = (found: SubscriptionState, { positions, bootstrap }: Progress): boolean =>
  isInSnapshot(found.bootstrap) === isInSnapshot(bootstrap) &&
  found.bootstrap?.run === bootstrap?.run &&
  (isInSnapshot(bootstrap) ||
    found.offsets.every(({ next }, partition) => next === positions[partition]?.next));
