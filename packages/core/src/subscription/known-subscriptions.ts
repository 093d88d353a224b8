import { isDeepStrictEqual } from "node:util";
import { ageMs, type Clock, type Stamp } from "../kernel/clock.ts";
import { LedgerError, subscriptionNotFound } from "../kernel/error.ts";
import { mapInParallel } from "../kernel/in-parallel.ts";
import { createMemory, earlier, type Look } from "../kernel/memory.ts";
import { chainCount } from "../model/epochs.ts";
import { withLaterStarts } from "../model/later-starts.ts";
import type { Life } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { OffsetRow } from "../table/offset.entity.ts";
import type { SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";
import { loadManyOffsets, loadOffsets } from "./position/load-offsets.ts";
import type { SubscriptionState } from "./state.ts";
import { createUntilMemory } from "./workers/until-memory.ts";

/** How long a subscription's state stays cached. */
const MEMORY_MS = 5_000;
/**
 * While there is nothing to deliver, it stays cached for a part of the time for which it has been
 * the same, within this bound ([poll.idle-cost]).
 */
const IDLE_MEMORY_MS = 30_000;
const SAME_PART = 3;
/**
 * How late an eventually consistent read is taken to be. AWS says that it is usually less than a
 * second late.
 */
const GLIMPSE_LATE_MS = 1_000;
/** How many subscriptions are read again at the same time, each by reads of its own. */
const LOOKS_AT_ONCE = 8;

/** A state, and how long it had been the same when it was read. */
type Known = { readonly state: SubscriptionState; readonly sameMs: number; readonly since: Stamp };

type Deps = { readonly table: Table; readonly clock: Clock };

/** Finds subscriptions, and remembers them with their committed offsets for seconds. */
export function createKnownSubscriptions({ table, clock }: Deps) {
  const memory = createMemory<Known>(clock, { ttlMs: MEMORY_MS });
  const untils = createUntilMemory(clock);
  const nameOf = ({ life }: LiveStream, name: string) => `${life}#${name}`;

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
    return trusted?.state ?? (await glimpse(stream, known)) ?? refresh(stream, known.state);
  }

  /**
   * Confirms a remembered state by an eventually consistent read, which costs half as much. It can
   * only confirm: if it shows anything else, it may be older than the memory, so the result is
   * undefined.
   */
  async function glimpse(stream: LiveStream, known: Known): Promise<SubscriptionState | undefined> {
    const { row, offsets } = known.state;
    const look = earlier(memory.look(), GLIMPSE_LATE_MS);
    const seen = await table.subscriptions.loadOffsets(stream.life, row.uid, { glimpsed: true });
    const isKnown = memory.latest(nameOf(stream, row.name)) === known;
    return isKnown && isDeepStrictEqual(seen, offsets)
      ? learn(stream, row, look, offsets)
      : undefined;
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

  /**
   * Returns listed subscriptions with their current positions, in few requests. It leaves out those
   * that were deleted since they were listed.
   */
  async function refreshAll(
    stream: LiveStream,
    rows: readonly SubscriptionRow[],
  ): Promise<SubscriptionState[]> {
    const look = memory.look();
    const loaded = await loadManyOffsets({ table, clock, untils }, stream, rows);
    const states = await mapInParallel(rows, LOOKS_AT_ONCE, async (row) => {
      const offsets = loaded[rows.indexOf(row)];
      try {
        return offsets === undefined
          ? [await refresh(stream, { row })]
          : [await settle(stream, row, look, offsets)];
      } catch (error) {
        if (error instanceof LedgerError && error.code === "subscription-not-found") return [];
        throw error;
      }
    });
    return states.flat();
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

  return {
    load,
    recall,
    recallIdle,
    refresh,
    refreshAll,
    use,
    remember,
    forget,
    /** Discards the remembered state of all subscriptions of a life. */
    forgetLife(life: Life): void {
      memory.changeAll((name) => name.startsWith(`${life}#`));
    },
    /** Begins a look: what it finds is discarded if there is a change in the meantime. */
    look: memory.look,
    /** The expiry of leases and workers, by the clock of this process. */
    untils,
  };
}

function stateOf(
  stream: LiveStream,
  row: SubscriptionRow,
  offsets: readonly OffsetRow[],
): SubscriptionState {
  const { generation = 0, bootstrap: stored } = offsets[0] ?? {};
  const bootstrap = stored && withLaterStarts(stream, stored);
  return { row, offsets, generation, bootstrap };
}
