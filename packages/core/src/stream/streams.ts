import type { CreateStream, PatchStream, ProblemCode, PutSchemas } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { createMemory } from "../kernel/memory.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { again, retry } from "../kernel/retry.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import { CHAINS_MAX, chainCount, chainsOf, TurnReached } from "../model/epochs.ts";
import {
  bareName as bareOf,
  type Life,
  lifeOf,
  type ScopedName,
  scopeName,
  type Tenant,
} from "../model/names.ts";
import type { Sightings } from "../model/sightings.ts";
import { firstCheckpoint } from "../table/checkpoint.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";
import {
  assertLockHasDays,
  assertLockStays,
  assertMayArchive,
  type Ended,
  lockedUntilOf,
} from "./archive-settings.ts";
import { assertSameConfig } from "./same-config.ts";
import { nameIsBusy, noPartitionsLeft, stillTurning } from "./stream-problems.ts";

/** A live stream, as read at `stamp`. */
export type LiveStream = StreamRow & { readonly life: Life; readonly stamp: Stamp };

type Created = { readonly stream: StreamRow; readonly created: boolean };

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly sightings?: Sightings | undefined;
  /** Whether there is a bucket for archives. */
  readonly canArchive?: boolean;
  /** Whether that bucket has object lock. */
  readonly canLock?: boolean;
  /** Begins or stops archiving a partition, as the settings say. */
  readonly settleArchive?: (stream: LiveStream, partition: number) => Promise<unknown>;
  /** Permanently ends the chain of one partition. */
  readonly sealPartition: (life: Life, partition: number) => Promise<unknown>;
  /** Leads a stream that turns into its next epoch: see `bringOn`. */
  readonly bringOn: (life: Life, row: StreamRow) => Promise<boolean>;
  /** Throws the reason why a stream cannot turn to another epoch now: see `assertMayTurn`. */
  readonly assertMayTurn: (life: Life, row: StreamRow) => Promise<void>;
};

/** How long a stream's row stays cached. */
const MEMORY_MS = 5_000;

/**
 * How long it stays cached for reads at the end of the log. Such a read finds a seal there when the
 * life has ended, and a turn when the stream has got other partitions. Nothing is delivered before
 * `confirm`.
 */
export const IDLE_MEMORY_MS = 5 * MINUTE_MS;

/** Creates, changes and ends streams. */
export function createStreams(deps: Deps) {
  const { table, clock, random, sightings, sealPartition, bringOn, assertMayTurn } = deps;
  const { settleArchive = async () => {} } = deps;
  const means = { canArchive: deps.canArchive ?? false, canLock: deps.canLock ?? false };
  const memory = createMemory<LiveStream>(clock, { ttlMs: MEMORY_MS });

  /**
   * Creates a stream, or finds an identical one. Throws `stream-exists` when one of that name has a
   * different configuration. If an earlier stream of the name is still being deleted, it first
   * finishes closing that one.
   */
  async function create(tenant: Tenant, config: CreateStream): Promise<Created> {
    const name = scopeName(tenant, config.name);
    assertMayArchive(config, means);
    assertLockHasDays(config);
    return retry<Created>({ tries: CREATE_TRIES, giveUp: nameIsBusy }, async () => {
      const existing = await table.streams.load(name);
      if (existing?.status === "live") {
        assertRestored(existing);
        assertSameConfig(existing, config);
        return { stream: existing, created: false };
      }
      if (existing !== undefined) await finishEnd(existing);
      const now = clock.now();
      const uid = newUid(random);
      const { archiveLock, ...settings } = config;
      const { archiveDays } = settings;
      const lock = archiveLock === undefined ? {} : { archiveLock };
      const kept = archiveDays === null ? {} : { archiveKeptDays: archiveDays };
      const row: StreamRow = {
        ...settings,
        ...kept,
        ...lock,
        name,
        uid,
        status: "live",
        createdAt: now,
      };
      const checkpoint = firstCheckpoint(1, { nowMs: now, isArchived: archiveDays !== null });
      const done = await table.lifecycle.createStream(tenant, lifeOf(name, uid), row, checkpoint);
      if (done) return { stream: row, created: true };
      const winner = await table.streams.load(name);
      return winner?.uid === uid ? { stream: row, created: true } : again();
    });
  }

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

  /** Returns the stream in a later epoch than the known one, if it turns to one. */
  async function inNextEpoch(tenant: Tenant, known: LiveStream): Promise<LiveStream> {
    const present = await load(tenant, bareOf(known.name));
    if (present.uid !== known.uid) throw streamNotFound();
    if (present.growing === undefined) return present;
    await bringOn(present.life, present);
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

  /**
   * Throws `invalid-request` at `/partitions` for a number that the stream cannot get, and the
   * reasons why it can get none now: `compaction-stalled` and `numbering-at-risk`.
   */
  async function assertMayResize(
    tenant: Tenant,
    bareName: string,
    partitions: number,
  ): Promise<void> {
    const stream = await load(tenant, bareName);
    if ((stream.growing ?? stream.partitions) === partitions) return;
    const left = CHAINS_MAX - chainCount(stream) - (stream.growing ?? 0);
    if (partitions > left) throw noPartitionsLeft(left);
    await assertMayTurn(stream.life, stream);
  }

  /**
   * Gives a stream another number of partitions, or finds that it has it. A stream that turns
   * already first reaches its next epoch. Returns when the new partitions can be written.
   */
  async function resize(tenant: Tenant, bareName: string, partitions: number): Promise<StreamRow> {
    const limits = { tries: RESIZE_TRIES, giveUp: nameIsBusy };
    return retry<StreamRow>(limits, async () => {
      const stream = await load(tenant, bareName);
      if (stream.growing !== undefined) {
        await inNextEpoch(tenant, stream);
        return again();
      }
      if (stream.partitions === partitions) return stream;
      const left = CHAINS_MAX - chainCount(stream);
      if (partitions > left) throw noPartitionsLeft(left);
      const turning = await table.streams.turnTo(stream, partitions);
      memory.change(stream.name);
      if (turning !== undefined) await bringOn(stream.life, turning);
      return again();
    });
  }

  async function patch(tenant: Tenant, bareName: string, wanted: PatchStream): Promise<StreamRow> {
    assertMayArchive(wanted, means);
    const isChange = Object.values(wanted).some((value) => value !== undefined);
    return retry<StreamRow>({ tries: CHANGE_TRIES, giveUp: nameIsBusy }, async () => {
      const stream = await load(tenant, bareName);
      assertLockStays(stream, wanted);
      if (!isChange) return stream;
      const row = await table.streams.patch(stream.name, stream.uid, wanted);
      memory.change(stream.name);
      // The stream has ended, or its lock was changed in the meantime.
      if (row === undefined) return again();
      if (wanted.archiveDays !== undefined && row.archiveKeptDays !== undefined) {
        await settle({ ...stream, ...row });
      }
      return row;
    });
  }

  /** Replaces the schemas with those that `decide` returns. It runs again if they have changed. */
  async function setSchemas(
    tenant: Tenant,
    bareName: string,
    decide: (stream: LiveStream) => Promise<PutSchemas | undefined>,
  ): Promise<void> {
    await retry<void>({ tries: CHANGE_TRIES, giveUp: nameIsBusy }, async () => {
      const stream = await load(tenant, bareName);
      const isSet = await table.streams.setSchemas(stream, await decide(stream));
      memory.change(stream.name);
      return isSet ? undefined : again();
    });
  }

  /** Archiving begins or stops in all partitions before the change is answered. */
  async function settle(stream: LiveStream): Promise<void> {
    await inParallel(chainsOf(stream), WAVE, async (partition) => {
      await settleArchive(stream, partition);
    });
  }

  /**
   * Ends a stream. It is invisible from now on, its chains are sealed when this returns, and its
   * data is removed later. The next call finishes an interrupted one, and so does the creation of a
   * new stream of that name. A repeated call succeeds while the data of the ended life is being
   * removed. Throws `stream-not-found` for a name without a life, even an ending one.
   */
  async function end(tenant: Tenant, bareName: string): Promise<Ended> {
    const name = scopeName(tenant, bareName);
    return retry<Ended>({ tries: CHANGE_TRIES, giveUp: nameIsBusy }, async () => {
      const stream = await table.streams.load(name);
      if (stream === undefined) {
        const job = await table.removals.openFor(name);
        if (job !== undefined) return job;
        throw streamNotFound();
      }
      assertRestored(stream);
      const life = lifeOf(name, stream.uid);
      const locked = lockedUntilOf(stream, clock.now());
      const endsHere =
        stream.status === "live" &&
        (await table.lifecycle.endStream(tenant, life, { ...stream, ...locked }, clock.now()));
      memory.change(name);
      const now = endsHere ? stream : await table.streams.load(name);
      // The stream has got other partitions in the meantime, and has not ended.
      if (now?.uid === stream.uid && !endsHere && now.status === "live") return again();
      if (now?.uid === stream.uid) await finishEnd(now);
      return locked;
    });
  }

  /** Seals the remaining partitions of an ended life and frees its name. Repeatable. */
  async function finishEnd(stream: EndedStream): Promise<void> {
    const { name, uid } = stream;
    const life = lifeOf(name, uid);
    await inParallel(chainsOf(stream), WAVE, async (partition) => {
      await sealPartition(life, partition);
    });
    await table.removals.markSealed(life, clock.now());
    sightings?.sealedSince(life);
    await table.streams.remove(name, uid);
  }

  /** Discards everything that is remembered of a name. */
  const forget = (name: ScopedName): void => memory.change(name);

  return {
    create,
    use,
    useNow,
    follow,
    load,
    confirm,
    forget,
    patch,
    setSchemas,
    assertMayResize,
    resize,
    end,
    finishEnd,
  };
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

type EndedStream = Pick<StreamRow, "name" | "uid" | "partitions" | "epochs">;

const CREATE_TRIES = 5;
const CHANGE_TRIES = 5;
/** Changes to other numbers of partitions may come first. Each of them takes two tries. */
const RESIZE_TRIES = 40;

const WAVE = 8;

/** How often an operation may meet the ends of partitions. Each time the stream has moved on. */
const TURN_TRIES = 12;
const TURN_PAUSE_MS = 100;
