import { isDeepStrictEqual } from "node:util";
import { ageMs, type Clock, type Stamp } from "../kernel/clock.ts";
import { LedgerError, subscriptionNotFound } from "../kernel/error.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { createMemory, type Look } from "../kernel/memory.ts";
import { newUid, type Random } from "../kernel/random.ts";
import type { Log } from "../log/log.ts";
import { CHAINS_MAX, chainCount } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import { type Life, lifeOf } from "../model/names.ts";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { toDeletion } from "../table/deletion.entity.ts";
import type { OffsetRow } from "../table/offset.entity.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import type { Covers } from "./covered.ts";
import type { Matches } from "./filter.ts";
import { createCommits, type Replacement } from "./position/commit-writes.ts";
import { createSubscriptionLag } from "./position/lag.ts";
import { loadOffsets } from "./position/load-offsets.ts";
import { isInSnapshot, offsetsOf, type Progress, pendingProgress } from "./position/progress.ts";
import { assertSameConfig, type NewSubscription, normalConfig } from "./settings/config.ts";
import type { SubscriptionState } from "./state.ts";
import { createUntilMemory } from "./workers/until-memory.ts";

/** Snapshots of the compacted state, which bootstraps read. */
export type Snapshots = {
  /** Throws `not-compacted` when the stream has no compacted state. */
  assertPossible(stream: LiveStream): void;
  begin(stream: LiveStream): Promise<Bootstrap>;
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

/** How long a subscription's state stays cached. */
const MEMORY_MS = 5_000;
/**
 * While there is nothing to deliver, it stays cached for a part of the time for which it has been
 * the same, within this bound ([poll.idle-cost]).
 */
const IDLE_MEMORY_MS = 30_000;
const SAME_PART = 3;

/** A state, and how long it had been the same when it was read. */
type Known = { readonly state: SubscriptionState; readonly sameMs: number; readonly since: Stamp };

/** Creates, reads and deletes subscriptions and their committed offsets. */
export function createSubscriptions({ table, clock, random, log, snapshots }: SubscriptionDeps) {
  const memory = createMemory<Known>(clock, { ttlMs: MEMORY_MS });
  const untils = createUntilMemory(clock);
  const nameOf = ({ life }: LiveStream, name: string) => `${life}#${name}`;

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

  /** Returns the subscription with its current positions. Throws `subscription-not-found`. */
  async function load(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const look = memory.look();
    const row = await table.subscriptions.load(stream.name, stream.uid, name);
    if (row === undefined) {
      forget(stream, name);
      throw subscriptionNotFound();
    }
    return settle(stream, row, look, await offsetsOfRow(stream, row));
  }

  /**
   * Learns positions together with their settings. If the settings changed after the row was read,
   * it reads the row again, so that no event is delivered by an earlier filter.
   */
  async function settle(
    stream: LiveStream,
    known: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ): Promise<SubscriptionState> {
    if ((offsets[0]?.configured ?? 0) <= (known.configured ?? 0)) {
      return learn(stream, known, look, offsets);
    }
    const row = await table.subscriptions.load(stream.name, stream.uid, known.name);
    if (row?.uid === known.uid) return learn(stream, row, look, offsets);
    forget(stream, known.name);
    throw subscriptionNotFound();
  }

  /** Returns the subscription as it was at most a few seconds ago. */
  async function recall(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const known = memory.recall(nameOf(stream, name))?.state;
    return known?.offsets.length === chainCount(stream) ? known : load(stream, name);
  }

  /**
   * Returns the subscription as it was not long ago, in proportion to how long it has been the
   * same. That is enough to see that there is nothing to deliver. `refresh` decides what to
   * deliver.
   */
  async function recallIdle(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const known = memory.latest(nameOf(stream, name));
    if (known?.state.offsets.length !== chainCount(stream)) return load(stream, name);
    const part = Math.min(IDLE_MEMORY_MS, known.sameMs / SAME_PART);
    const trusted = memory.recall(nameOf(stream, name), Math.max(MEMORY_MS, part));
    return trusted?.state ?? refresh(stream, known.state);
  }

  /** Discards the remembered state of a changed subscription, and any read of it in progress. */
  const forget = (stream: LiveStream, name: string): void => memory.change(nameOf(stream, name));

  /**
   * Runs an operation on a subscription that may be remembered. If that one is deleted and a
   * different process has created it again, the operation runs on the new one.
   */
  async function use<T>(stream: LiveStream, name: string, run: () => Promise<T>): Promise<T> {
    const remembered = memory.latest(nameOf(stream, name)) !== undefined;
    try {
      return await run();
    } catch (error) {
      const gone = error instanceof LedgerError && error.code === "subscription-not-found";
      if (!gone || !remembered) throw error;
      forget(stream, name);
      return run();
    }
  }

  /** Returns the same subscription with its current positions. Throws `subscription-not-found`. */
  async function refresh(
    stream: LiveStream,
    { row }: Pick<SubscriptionState, "row">,
  ): Promise<SubscriptionState> {
    const look = memory.look();
    return settle(stream, row, look, await offsetsOfRow(stream, row));
  }

  async function offsetsOfRow(stream: LiveStream, row: SubscriptionRow) {
    const offsets = await loadOffsets({ table, clock, untils }, stream, row);
    if (offsets !== undefined) return offsets;
    forget(stream, row.name);
    throw subscriptionNotFound();
  }

  /** Records the result of a look. */
  function learn(
    stream: LiveStream,
    row: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ): SubscriptionState {
    const state = stateOf(stream, row, offsets);
    const before = memory.latest(nameOf(stream, row.name));
    const isSame = before !== undefined && isDeepStrictEqual(before.state, state);
    const since = isSame ? before.since : look.stamp;
    const known = { state, since, sameMs: ageMs(clock, since) };
    memory.learn(nameOf(stream, row.name), look, known);
    return state;
  }

  /** Remembers the state after a change by this process, which began with the look. */
  function remember(
    stream: LiveStream,
    row: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ): SubscriptionState {
    const state = stateOf(stream, row, offsets);
    const value = { state, since: look.stamp, sameMs: 0 };
    memory.change(nameOf(stream, row.name), { of: look, value });
    return state;
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
    const look = memory.look();
    const offsets = offsetsOf(to, generation);
    const isPlaced = isInSnapshot(to.bootstrap) || offsets.every(({ next }) => next > 0);
    assertInvariant(isPlaced, `${state.row.name} is put to a place`);
    const from = { generation: state.generation, rows: state.offsets[0]?.rows, end };
    const { uid } = state.row;
    const done = await table.lifecycle.replaceOffsets(stream.life, uid, from, offsets);
    const { rows } = from;
    const counted = rows === undefined ? offsets : offsets.map((row) => ({ ...row, rows }));
    if (done === true) return remember(stream, state.row, look, counted);
    forget(stream, state.row.name);
    if (done === false) return undefined;
    const found = await refresh(stream, state);
    return found.generation === generation && isThere(found, to) ? found : undefined;
  }

  return {
    create,
    load,
    recall,
    recallIdle,
    forget,
    /** Discards the remembered state of all subscriptions of a life. */
    forgetLife(life: Life): void {
      memory.changeAll((name) => name.startsWith(`${life}#`));
    },
    use,
    refresh,
    remove,
    ...createSubscriptionLag({ clock, log }),
    replace,
    /** The expiry of leases and workers, by the clock of this process. */
    untils,
    ...createCommits({ table, log, clock, untils, look: memory.look, refresh, remember, replace }),
  };
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** Returns whether an earlier attempt of the same move succeeded and its answer was lost. */
const isThere = (found: SubscriptionState, { positions, bootstrap }: Progress): boolean =>
  isInSnapshot(found.bootstrap) === isInSnapshot(bootstrap) &&
  found.bootstrap?.run === bootstrap?.run &&
  (isInSnapshot(bootstrap) ||
    found.offsets.every(({ next }, partition) => next === positions[partition]?.next));

function stateOf(
  stream: LiveStream,
  row: SubscriptionRow,
  offsets: readonly OffsetRow[],
): SubscriptionState {
  const { generation = 0, bootstrap: stored } = offsets[0] ?? {};
  const bootstrap = stored && withLaterStarts(stream, stored);
  return { row, offsets, generation, bootstrap };
}
