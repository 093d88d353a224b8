import type { CreateSubscription, Lag } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { newUid, type Random } from "../kernel/random.ts";
import type { Log, Place } from "../log/log.ts";
import type { LiveStream } from "../stream/streams.ts";
import type { OffsetRow, SubscriptionRow } from "../table/subscription.entity.ts";
import type { Table } from "../table/table.ts";

export type SubscriptionDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** A subscription and how far it has committed every partition, as read at `stamp`. */
export type SubscriptionState = {
  readonly row: SubscriptionRow;
  readonly offsets: readonly OffsetRow[];
  readonly generation: number;
  readonly stamp: Stamp;
};

/** How long a subscription's state is believed while there is nothing to deliver. */
const MEMORY_MS = 5_000;
const ENTRIES_MAX = 10_000;

/** Subscriptions: their beginnings, ends and committed positions. */
export function createSubscriptions({ table, clock, random, log }: SubscriptionDeps) {
  const memory = new Map<string, SubscriptionState>();
  const nameOf = ({ life }: LiveStream, name: string) => `${life}#${name}`;

  /**
   * Makes a subscription, or finds that the very same one is there. Throws `subscription-exists`
   * when one of that name was made with other settings.
   */
  async function create(
    stream: LiveStream,
    { name, ...config }: CreateSubscription,
  ): Promise<{ row: SubscriptionRow; created: boolean }> {
    const existing = await table.subscriptions.load(stream.name, stream.uid, name);
    if (existing !== undefined) return { row: assertSameConfig(existing, config), created: false };
    const positions = await log.seek(stream, placeOf(config.start));
    const row: SubscriptionRow = {
      stream: stream.name,
      name,
      uid: newUid(random),
      streamUid: stream.uid,
      config,
      createdAt: clock.now(),
    };
    const offsets = positions.map((position, partition) => ({
      ...position,
      partition,
      generation: 1,
    }));
    if (await table.lifecycle.createSubscription(stream.life, row, offsets)) {
      return { row, created: true };
    }
    const winner = await table.subscriptions.load(stream.name, stream.uid, name);
    if (winner === undefined) throw subscriptionNotFound();
    if (winner.uid === row.uid) return { row, created: true };
    return { row: assertSameConfig(winner, config), created: false };
  }

  /** The subscription with its positions as they are now. Throws `subscription-not-found`. */
  async function load(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const stamp = takeStamp(clock);
    memory.delete(nameOf(stream, name));
    const row = await table.subscriptions.load(stream.name, stream.uid, name);
    if (row === undefined) throw subscriptionNotFound();
    return remember(stream, row, stamp, await loadOffsets(stream, row));
  }

  /**
   * The subscription as it was at most a few seconds ago: enough to learn that nothing is new. What
   * is delivered is decided by `refresh`.
   */
  async function recall(stream: LiveStream, name: string): Promise<SubscriptionState> {
    const known = memory.get(nameOf(stream, name));
    if (known !== undefined && ageMs(clock, known.stamp) < MEMORY_MS) return known;
    return load(stream, name);
  }

  /** The same subscription with its positions as they are now. Throws `subscription-not-found`. */
  async function refresh(
    stream: LiveStream,
    { row }: SubscriptionState,
  ): Promise<SubscriptionState> {
    const stamp = takeStamp(clock);
    return remember(stream, row, stamp, await loadOffsets(stream, row));
  }

  async function loadOffsets(
    stream: LiveStream,
    { uid, name }: SubscriptionRow,
  ): Promise<readonly OffsetRow[]> {
    const offsets = await table.subscriptions.loadOffsets(stream.life, uid);
    if (offsets.length === stream.partitions) return offsets;
    memory.delete(nameOf(stream, name));
    throw subscriptionNotFound();
  }

  function remember(
    stream: LiveStream,
    row: SubscriptionRow,
    stamp: Stamp,
    offsets: readonly OffsetRow[],
  ): SubscriptionState {
    const state = { row, offsets, generation: offsets[0]?.generation ?? 0, stamp };
    const [oldest] = memory.keys();
    if (memory.size >= ENTRIES_MAX && oldest !== undefined) memory.delete(oldest);
    memory.set(nameOf(stream, row.name), state);
    return state;
  }

  /** Deletes a subscription and its positions. Throws `subscription-not-found`. */
  async function remove(stream: LiveStream, name: string): Promise<void> {
    const { row } = await load(stream, name);
    memory.delete(nameOf(stream, name));
    await table.lifecycle.removeSubscription(stream.life, row, stream.partitions);
  }

  /** How far a subscription's committed position is behind the end. */
  const lag = (stream: LiveStream, { offsets }: SubscriptionState): Promise<Lag> =>
    log.lag(
      stream.life,
      offsets.map((position) => ({ position, atEnd: false, nextPublishedAt: undefined })),
    );

  /**
   * Moves committed positions forward, never back. Answers whether any moved, and the state after.
   * Throws `invalid-cursor` when a seek has begun another generation meanwhile.
   */
  async function commit(
    stream: LiveStream,
    state: SubscriptionState,
    to: readonly OffsetRow[],
  ): Promise<{ moved: boolean; state: SubscriptionState }> {
    const known = new Map(state.offsets.map((row) => [row.partition, row]));
    const ahead = to.filter(({ partition, next }) => next > (known.get(partition)?.next ?? 0));
    const stamp = takeStamp(clock);
    const results = await Promise.all(
      ahead.map((row) => table.subscriptions.commit(stream.life, state.row.uid, row)),
    );
    let moved = false;
    for (const result of results) {
      if (result === undefined) throw subscriptionNotFound();
      moved ||= result.moved;
      known.set(result.row.partition, result.row);
    }
    const offsets = [...known.values()];
    return { moved, state: remember(stream, state.row, stamp, offsets) };
  }

  return { create, load, recall, refresh, remove, lag, commit };
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** The place in the log a start stands for. */
export const placeOf = (start: CreateSubscription["start"]): Place =>
  typeof start === "object" ? { timeMs: Date.parse(start.timestamp) } : start;

function assertSameConfig(
  existing: SubscriptionRow,
  config: SubscriptionRow["config"],
): SubscriptionRow {
  if (JSON.stringify(sorted(existing.config)) === JSON.stringify(sorted(config))) return existing;
  throw new LedgerError("subscription-exists", {
    detail: `A subscription named ${existing.name} exists with other settings. Delete it first, or choose another name.`,
  });
}

const sorted = (config: SubscriptionRow["config"]) =>
  Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));

export const subscriptionNotFound = (): LedgerError =>
  new LedgerError("subscription-not-found", {
    detail: "The stream has no subscription of that name. Create it with POST .../subscriptions.",
  });
