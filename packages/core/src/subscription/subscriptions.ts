import { type CreateSubscription, LIMITS, type Start } from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError, subscriptionNotFound } from "../kernel/error.ts";
import { assertInvariant } from "../kernel/invariant.ts";
import { createMemory, type Look } from "../kernel/memory.ts";
import { newUid, type Random } from "../kernel/random.ts";
import type { Log } from "../log/log.ts";
import type { StoredEvent } from "../model/event.ts";
import { type Life, lifeOf } from "../model/names.ts";
import type { Bootstrap } from "../model/snapshot-progress.ts";
import type { LiveStream } from "../stream/streams.ts";
import { toDeletion } from "../table/deletion.entity.ts";
import type { LeaseGuard, OffsetRow, SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import type { Covers } from "./covered.ts";
import type { Matches } from "./filter.ts";
import { createCommits } from "./position/commit-writes.ts";
import { createSubscriptionLag } from "./position/lag.ts";
import { isInSnapshot, offsetsOf, type Progress, pendingProgress } from "./position/progress.ts";
import { assertSameConfig, normalConfig } from "./settings/config.ts";
import type { SubscriptionState } from "./state.ts";
import { createUntilMemory } from "./workers/until-memory.ts";

/** Snapshots of the compacted state, as bootstraps read them. */
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

/** What a subscription is made from; a lease lasts as long as usual unless it is said. */
export type NewSubscription = Omit<CreateSubscription, "leaseSeconds" | "start"> & {
  readonly start: Start;
  readonly leaseSeconds?: number;
};

/** How long a subscription's state is believed while there is nothing to deliver. */
const MEMORY_MS = 5_000;

/** Subscriptions: their beginnings, ends and committed positions. */
export function createSubscriptions({ table, clock, random, log, snapshots }: SubscriptionDeps) {
  const memory = createMemory<SubscriptionState>(clock, { ttlMs: MEMORY_MS });
  const untils = createUntilMemory(clock);
  const nameOf = ({ life }: LiveStream, name: string) => `${life}#${name}`;

  /**
   * Makes a subscription, or finds that the very same one is there. `at` looks up where it starts;
   * undefined means a snapshot. Throws `subscription-exists` when one of that name was made with
   * other settings.
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

  /** Positions of a former life's subscription would be out of reach once its row is replaced. */
  async function removeStale(stream: LiveStream, name: string): Promise<void> {
    const stale = await table.subscriptions.loadStale(stream.name, stream.uid, name);
    if (stale === undefined) return;
    const life = lifeOf(stream.name, stale.streamUid);
    await table.lifecycle.removeSubscription(life, stale, LIMITS.partitionsMax);
  }

  /** The subscription with its positions as they are now. Throws `subscription-not-found`. */
  async function load(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const look = memory.look();
    const row = await table.subscriptions.load(stream.name, stream.uid, name);
    if (row === undefined) {
      forget(stream, name);
      throw subscriptionNotFound();
    }
    return settle(stream, row, look, await loadOffsets(stream, row));
  }

  /**
   * Learns positions with the settings that they go with. A row that was read before its settings
   * were changed is read again: nothing is delivered by a filter of before.
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

  /**
   * The subscription as it was at most a few seconds ago: enough to learn that nothing is new. What
   * is delivered is decided by `refresh`.
   */
  async function recall(stream: LiveStream, name: string): Promise<SubscriptionState> {
    return memory.recall(nameOf(stream, name)) ?? load(stream, name);
  }

  /** It was changed: what was remembered of it holds no more, nor what is being read. */
  const forget = (stream: LiveStream, name: string): void => memory.change(nameOf(stream, name));

  /**
   * Runs an operation on a subscription that may be remembered. When it turns out to be gone, and
   * has been made again by another process meanwhile, the operation runs on the new one.
   */
  async function use<T>(stream: LiveStream, name: string, run: () => Promise<T>): Promise<T> {
    const remembered = memory.knows(nameOf(stream, name));
    try {
      return await run();
    } catch (error) {
      const gone = error instanceof LedgerError && error.code === "subscription-not-found";
      if (!gone || !remembered) throw error;
      forget(stream, name);
      return run();
    }
  }

  /** The same subscription with its positions as they are now. Throws `subscription-not-found`. */
  async function refresh(
    stream: LiveStream,
    { row }: Pick<SubscriptionState, "row">,
  ): Promise<SubscriptionState> {
    const look = memory.look();
    return settle(stream, row, look, await loadOffsets(stream, row));
  }

  /**
   * A query is not one moment: rows of a seek or of a snapshot's end, which are written together,
   * may be met half done. Then it is asked again.
   */
  async function loadOffsets(
    stream: LiveStream,
    { uid, name, config }: SubscriptionRow,
  ): Promise<readonly OffsetRow[]> {
    const holders = { uid, leaseMs: leaseMsOf(config) };
    for (let attempt = 0; attempt < OFFSET_TRIES; attempt++) {
      const look = untils.look();
      const offsets = await table.subscriptions.loadOffsets(stream.life, uid);
      if (offsets.length !== stream.partitions) {
        forget(stream, name);
        throw subscriptionNotFound();
      }
      const [{ generation, bootstrap } = { generation: 0, bootstrap: undefined }] = offsets;
      const whole = offsets.every(
        (row) => row.generation === generation && (isInSnapshot(bootstrap) || row.next > 0),
      );
      if (whole) {
        untils.seeLeases(holders, look, offsets);
        return offsets;
      }
      const moving = offsets.some((row) => row.generation !== generation);
      assertInvariant(moving || attempt < OFFSET_TRIES / 2, `${name} has a committed offset`);
      await clock.sleep(OFFSET_PAUSE_MS);
    }
    throw new LedgerError("store-unavailable", {
      detail: "Others keep moving this subscription. Try again shortly.",
      retryAfterSeconds: 1,
    });
  }

  /** What a look has found. */
  function learn(
    stream: LiveStream,
    row: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ): SubscriptionState {
    const state = stateOf(row, offsets);
    memory.learn(nameOf(stream, row.name), look, state);
    return state;
  }

  /** Its state after a change by this process, which began with the look. */
  function remember(
    stream: LiveStream,
    row: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ): SubscriptionState {
    const state = stateOf(row, offsets);
    memory.change(nameOf(stream, row.name), { of: look, value: state });
    return state;
  }

  /**
   * Deletes a subscription and its positions. Repeating it is no failure for a day. Throws
   * `subscription-not-found` for one that was never there, and for one that is not covered.
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
    await table.lifecycle.removeSubscription(stream.life, row, stream.partitions, deletion);
    forget(stream, name);
  }

  /**
   * Puts all positions elsewhere at once. Undefined when the subscription is not as `state` says
   * any more: another generation, or, at a snapshot's end, another place in it or another worker's.
   */
  async function replace(
    stream: LiveStream,
    state: SubscriptionState,
    to: Progress,
    generation: number,
    end?: { scan: string; guard: LeaseGuard },
  ): Promise<SubscriptionState | undefined> {
    const look = memory.look();
    const offsets = offsetsOf(to, generation);
    const isPlaced = isInSnapshot(to.bootstrap) || offsets.every(({ next }) => next > 0);
    assertInvariant(isPlaced, `${state.row.name} is put to a place`);
    const from = { generation: state.generation, end };
    const { uid } = state.row;
    const done = await table.lifecycle.replaceOffsets(stream.life, uid, from, offsets);
    if (done === true) return remember(stream, state.row, look, offsets);
    forget(stream, state.row.name);
    if (done === false) return undefined;
    const found = await refresh(stream, state);
    return found.generation === generation && isThere(found, to) ? found : undefined;
  }

  return {
    create,
    load,
    recall,
    forget,
    /** The same for all subscriptions of a life. */
    forgetLife(life: Life): void {
      memory.changeAll((name) => name.startsWith(`${life}#`));
    },
    use,
    refresh,
    remove,
    ...createSubscriptionLag({ clock, log }),
    replace,
    /** Until when leases and workers hold, by the clock of this process. */
    untils,
    ...createCommits({ table, log, clock, untils, look: memory.look, refresh, remember, replace }),
  };
}

const OFFSET_TRIES = 10;
const OFFSET_PAUSE_MS = 20;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** Whether an earlier try of putting it there was carried out, its answer lost. */
const isThere = (found: SubscriptionState, { positions, bootstrap }: Progress): boolean =>
  isInSnapshot(found.bootstrap) === isInSnapshot(bootstrap) &&
  found.bootstrap?.run === bootstrap?.run &&
  (isInSnapshot(bootstrap) ||
    found.offsets.every(({ next }, partition) => next === positions[partition]?.next));

function stateOf(row: SubscriptionRow, offsets: readonly OffsetRow[]): SubscriptionState {
  const { generation = 0, bootstrap } = offsets[0] ?? {};
  return { row, offsets, generation, bootstrap };
}

/** How long a worker holds its share each time it is heard of. */
export const leaseMsOf = ({ leaseSeconds }: SubscriptionRow["config"]): number =>
  leaseSeconds * 1_000;
