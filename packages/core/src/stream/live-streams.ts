import type { ProblemCode } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { createMemory } from "../kernel/memory.ts";
import type { Random } from "../kernel/random.ts";
import { again, retry } from "../kernel/retry.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { chainCount, TurnReached } from "../model/epochs.ts";
import {
  bareName as bareOf,
  type Life,
  lifeOf,
  type ScopedName,
  scopeName,
  type Tenant,
} from "../model/names.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import { stillTurning } from "./stream-problems.ts";

/** A live stream, as read at `stamp`. */
export type LiveStream = StreamRow & { readonly life: Life; readonly stamp: Stamp };

export type LiveStreamDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  /** Leads a stream that turns into its next epoch: see `bringOn`. */
  readonly bringOn: (life: Life, row: StreamRow) => Promise<boolean>;
};

/** How long a stream's row stays cached. */
const MEMORY_MS = 5_000;

/**
 * How long it stays cached for reads at the end of the log. Such a read finds a seal there when the
 * life has ended, and a turn when the stream has got other partitions. Nothing is delivered before
 * `confirm`.
 */
export const IDLE_MEMORY_MS = 15 * MINUTE_MS;

/** Finds live streams, remembers them for seconds, and runs operations on them. */
export function createLiveStreams({ table, clock, random, bringOn }: LiveStreamDeps) {
  const memory = createMemory<LiveStream>(clock, { ttlMs: MEMORY_MS });

  /**
   * Runs an operation on the live stream of that name, which may be `maxMs` old. If the operation
   * fails as it would on an ended life, and there is a new life, it runs on the new one.
   * Throws `stream-not-found`, and the errors of the operation.
   */
  async function use<T>(
    tenant: Tenant,
    bareName: string,
    run: (stream: LiveStream) => Promise<T>,
    maxMs = MEMORY_MS,
  ): Promise<T> {
    const name = scopeName(tenant, bareName);
    const stream = memory.recall(name, maxMs) ?? (await load(tenant, bareName));
    try {
      return await follow(tenant, stream, run);
    } catch (error) {
      if (!(error instanceof LedgerError && OF_ANOTHER_LIFE.has(error.code))) throw error;
      const present = await load(tenant, bareName);
      if (present.uid === stream.uid) throw error;
      return follow(tenant, present, run);
    }
  }

  /** Runs an operation on the live stream of that name, as it is now. Throws `stream-not-found`. */
  async function useNow<T>(
    tenant: Tenant,
    bareName: string,
    run: (stream: LiveStream) => Promise<T>,
  ): Promise<T> {
    return follow(tenant, await load(tenant, bareName), run);
  }

  /**
   * Runs an operation. When it meets the end of a partition, this leads the stream into its next
   * epoch if no process has, and runs the operation again with the partitions of that epoch.
   */
  async function follow<T>(
    tenant: Tenant,
    known: LiveStream,
    run: (stream: LiveStream) => Promise<T>,
  ): Promise<T> {
    let stream = known;
    const limits = { tries: TURN_TRIES, pause: pauseAfter(TURN_PAUSE_MS), giveUp: stillTurning };
    return retry<T>(limits, async () => {
      try {
        return await run(stream);
      } catch (error) {
        if (!(error instanceof TurnReached)) throw error;
        stream = await inNextEpoch(tenant, stream);
        return again();
      }
    });
  }

  /**
   * The changes of partitions that this process is completing, by epoch. All operations that meet
   * one of them wait for the same work.
   */
  const leading = new Map<string, Promise<unknown>>();
  function lead(stream: LiveStream): Promise<unknown> {
    const name = `${stream.life}#${stream.epochs?.length ?? 1}`;
    const known = leading.get(name);
    if (known !== undefined) return known;
    const work = bringOn(stream.life, stream).finally(() => leading.delete(name));
    leading.set(name, work);
    return work;
  }

  /** Returns the stream in a later epoch than the known one, if it turns to one. */
  async function inNextEpoch(tenant: Tenant, known: LiveStream): Promise<LiveStream> {
    const present = await load(tenant, bareOf(known.name));
    if (present.uid !== known.uid) throw streamNotFound();
    if (present.growing === undefined) return present;
    await lead(present);
    return load(tenant, bareOf(known.name));
  }

  const pauseAfter = (ms: number) => (attempt: number) =>
    clock.sleep(attempt === 0 ? 0 : ms * random.fraction() * attempt);

  /** Returns the current live stream of that name. Throws `stream-not-found`. */
  async function load(tenant: Tenant, bareName: string): Promise<LiveStream> {
    return loadNamed(scopeName(tenant, bareName));
  }

  async function loadNamed(name: ScopedName): Promise<LiveStream> {
    const look = memory.look();
    const row = await table.streams.load(name);
    if (row?.status !== "live") {
      memory.change(name);
      throw streamNotFound();
    }
    assertRestored(row);
    const live = { ...row, life: lifeOf(name, row.uid), stamp: look.stamp };
    memory.learn(name, look, live);
    return live;
  }

  /**
   * Reads the row of a stream again unless the view is a few seconds old at most. Throws
   * `stream-not-found` if that life has ended, and `TurnReached` if the stream has other
   * partitions.
   */
  async function confirm(view: LiveStream): Promise<void> {
    if (ageMs(clock, view.stamp) < MEMORY_MS) return;
    const present = memory.recall(view.name) ?? (await loadNamed(view.name));
    if (present.uid !== view.uid) throw streamNotFound();
    if (chainCount(present) !== chainCount(view)) throw new TurnReached();
  }

  /** Discards everything that is remembered of a name. */
  const forget = (name: ScopedName): void => memory.change(name);

  return { use, useNow, follow, inNextEpoch, load, confirm, forget };
}

/**
 * The errors that an operation may cause on an ended life, or with a cursor or item of a newer one.
 */
const OF_ANOTHER_LIFE: ReadonlySet<string> = new Set<ProblemCode>([
  "invalid-cursor",
  "sequence-mismatch",
  "stream-not-found",
  "subscription-not-found",
]);

/**
 * Refuses a stream that was made in a different table. It is a copy of unknown age, and may assign
 * numbers that were assigned before. Throws `restore-pending`.
 */
export function assertRestored({ copied }: Pick<StreamRow, "copied">): void {
  if (copied === undefined) return;
  throw new LedgerError("restore-pending", {
    detail:
      "The table is a copy, and the restore is not complete. An operator has to send POST /restored.",
    retryAfterSeconds: 60,
  });
}

/** How often an operation may meet the ends of partitions. Each time the stream has moved on. */
const TURN_TRIES = 12;
const TURN_PAUSE_MS = 100;
