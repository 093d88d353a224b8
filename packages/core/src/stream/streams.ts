import type { CreateStream, PatchStream, PutSchemas } from "@eventledger/protocol";
import { streamNotFound } from "../kernel/error.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { newUid } from "../kernel/random.ts";
import { again, retry } from "../kernel/retry.ts";
import { CHAINS_MAX, chainCount, chainsOf } from "../model/epochs.ts";
import { type Life, lifeOf, scopeName, type Tenant } from "../model/names.ts";
import type { Sightings } from "../model/sightings.ts";
import { firstCheckpoint } from "../table/checkpoint.entity.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import {
  assertLockHasDays,
  assertLockStays,
  assertMayArchive,
  type Ended,
  lockedUntilOf,
} from "./archive-settings.ts";
import {
  assertRestored,
  createLiveStreams,
  type LiveStream,
  type LiveStreamDeps,
} from "./live-streams.ts";
import { assertSameConfig } from "./same-config.ts";
import { nameIsBusy, noPartitionsLeft } from "./stream-problems.ts";

type Created = { readonly stream: StreamRow; readonly created: boolean };

type Deps = LiveStreamDeps & {
  readonly sightings?: Sightings | undefined;
  /** Whether there is a bucket for archives. */
  readonly canArchive?: boolean;
  /** Whether that bucket has object lock. */
  readonly canLock?: boolean;
  /** Begins or stops archiving a partition, as the settings say. */
  readonly settleArchive?: (stream: LiveStream, partition: number) => Promise<unknown>;
  /** Permanently ends the chain of one partition. */
  readonly sealPartition: (life: Life, partition: number) => Promise<unknown>;
  /** Throws the reason why a stream cannot turn to another epoch now: see `assertMayTurn`. */
  readonly assertMayTurn: (life: Life, row: StreamRow) => Promise<void>;
};

/** Creates, changes and ends streams. */
export function createStreams(deps: Deps) {
  const { table, clock, random, sightings, sealPartition, bringOn, assertMayTurn } = deps;
  const { settleArchive = async () => {} } = deps;
  const means = { canArchive: deps.canArchive ?? false, canLock: deps.canLock ?? false };
  const { inNextEpoch, ...live } = createLiveStreams(deps);
  const { load, forget } = live;

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
      const { archiveLock, partitions, ...settings } = config;
      const lanes = partitions === "auto" ? { partitions: 1, auto: true as const } : { partitions };
      const { archiveDays } = settings;
      const lock = archiveLock === undefined ? {} : { archiveLock };
      const kept = archiveDays === null ? {} : { archiveKeptDays: archiveDays };
      const row: StreamRow = {
        ...settings,
        ...lanes,
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
   * Changes the number of partitions of a stream, unless it has that number already. A change in
   * progress is completed first. Returns when events can be written to the new partitions.
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
      forget(stream.name);
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
      forget(stream.name);
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
      forget(stream.name);
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
      forget(name);
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

  return {
    ...live,
    create,
    patch,
    setSchemas,
    assertMayResize,
    resize,
    end,
    finishEnd,
  };
}

type EndedStream = Pick<StreamRow, "name" | "uid" | "partitions" | "epochs">;

const CREATE_TRIES = 5;
const CHANGE_TRIES = 5;
/** Changes to other numbers of partitions may come first. Each of them takes two tries. */
const RESIZE_TRIES = 40;

const WAVE = 8;
