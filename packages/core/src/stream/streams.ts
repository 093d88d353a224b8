import type { CreateStream, PatchStream, ProblemCode } from "@eventledger/protocol";
import type { Clock, Stamp } from "../kernel/clock.ts";
import { differencesOf } from "../kernel/differences.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { createMemory } from "../kernel/memory.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { type Life, lifeOf, type ScopedName, scopeName, type Tenant } from "../model/names.ts";
import type { Sightings } from "../model/sightings.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";

/** A live stream, as it was read at `stamp`. */
export type LiveStream = StreamRow & { readonly life: Life; readonly stamp: Stamp };

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly sightings?: Sightings | undefined;
  /** Ends the chain of one partition for good. */
  readonly sealPartition: (life: Life, partition: number) => Promise<void>;
};

/** How long a stream's row is believed without another look. */
const MEMORY_MS = 5_000;

/** Streams: their beginnings, settings and ends. */
export function createStreams({ table, clock, random, sightings, sealPartition }: Deps) {
  const memory = createMemory<LiveStream>(clock, { ttlMs: MEMORY_MS });

  /**
   * Makes a stream, or finds that the very same one is there. Throws `stream-exists` when one of
   * that name has another configuration. A name whose former stream is still being deleted waits
   * until that one is closed.
   */
  async function create(
    tenant: Tenant,
    config: CreateStream,
  ): Promise<{ stream: StreamRow; created: boolean }> {
    const name = scopeName(tenant, config.name);
    for (let attempt = 0; attempt < CREATE_TRIES; attempt++) {
      const existing = await table.streams.load(name);
      if (existing?.status === "live") {
        assertRestored(existing);
        assertSameConfig(existing, config);
        return { stream: existing, created: false };
      }
      if (existing !== undefined) await finishEnd(existing);
      const now = clock.now();
      const uid = newUid(random);
      const row: StreamRow = { ...config, name, uid, status: "live", createdAt: now };
      const checkpoint = {
        next: 1,
        lookedAt: now,
        floorAt: now,
        compactedThrough: now,
        floor: 1,
        events: 0,
        bytes: 0,
      };
      const done = await table.lifecycle.createStream(tenant, lifeOf(name, uid), row, checkpoint);
      if (done) return { stream: row, created: true };
      const winner = await table.streams.load(name);
      if (winner?.uid === uid) return { stream: row, created: true };
    }
    throw new LedgerError("outcome-unknown", {
      detail: "The name is being created and deleted by others all the time. Try again.",
      retryAfterSeconds: 1,
    });
  }

  /**
   * Runs an operation on the live stream of that name, possibly as it was a few seconds ago. When
   * that fails as it would on a life that has ended meanwhile, and there is a new one, it runs on
   * the new. Throws `stream-not-found`, and what the operation throws.
   */
  async function use<T>(
    tenant: Tenant,
    bareName: string,
    run: (stream: LiveStream) => Promise<T>,
  ): Promise<T> {
    const stream = memory.recall(scopeName(tenant, bareName)) ?? (await load(tenant, bareName));
    try {
      return await run(stream);
    } catch (error) {
      if (!(error instanceof LedgerError && OF_ANOTHER_LIFE.has(error.code))) throw error;
      const present = await load(tenant, bareName);
      if (present.uid === stream.uid) throw error;
      return run(present);
    }
  }

  /** The live stream of that name as it is now. Throws `stream-not-found`. */
  async function load(tenant: Tenant, bareName: string): Promise<LiveStream> {
    const name = scopeName(tenant, bareName);
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

  async function patch(tenant: Tenant, bareName: string, wanted: PatchStream): Promise<StreamRow> {
    const stream = await load(tenant, bareName);
    const { description, retentionHours } = wanted;
    const set = {
      ...(description === undefined ? {} : { description }),
      ...(retentionHours === undefined ? {} : { retentionHours }),
    };
    if (Object.keys(set).length === 0) return stream;
    const row = await table.streams.patch(stream.name, stream.uid, set);
    memory.change(stream.name);
    if (row === undefined) throw streamNotFound();
    return row;
  }

  /**
   * Ends a stream: it is invisible from now on, its chains are sealed when this returns, and its
   * data is removed later. The next call finishes an interrupted one, and so does the creation of a
   * new stream of that name. Repeating it is no failure while the data of the ended life is being
   * removed. Throws `stream-not-found` of a name that has no life, not even one that is ending.
   */
  async function end(tenant: Tenant, bareName: string): Promise<void> {
    const name = scopeName(tenant, bareName);
    const stream = await table.streams.load(name);
    if (stream === undefined) {
      if (await table.removals.isOpenFor(name)) return;
      throw streamNotFound();
    }
    assertRestored(stream);
    const life = lifeOf(name, stream.uid);
    const endsHere =
      stream.status === "live" &&
      (await table.lifecycle.endStream(tenant, life, stream, clock.now()));
    memory.change(name);
    const now = endsHere ? stream : await table.streams.load(name);
    if (now?.uid === stream.uid) await finishEnd(stream);
  }

  /** Seals what is left to seal of an ended life and frees its name. Repeatable. */
  async function finishEnd({ name, uid, partitions }: EndedStream): Promise<void> {
    const life = lifeOf(name, uid);
    for (let at = 0; at < partitions; at += SEAL_WAVE) {
      const wave = Array.from({ length: Math.min(SEAL_WAVE, partitions - at) }, (_, i) => at + i);
      await Promise.all(wave.map((partition) => sealPartition(life, partition)));
    }
    await table.removals.markSealed(life, clock.now());
    sightings?.sealedSince(life);
    await table.streams.remove(name, uid);
  }

  /** What was remembered of a name holds no more. */
  const forget = (name: ScopedName): void => memory.change(name);

  return { create, use, load, forget, patch, end, finishEnd };
}

/**
 * What an operation may meet on a life that has ended, or with something that belongs to a newer
 * one.
 */
const OF_ANOTHER_LIFE: ReadonlySet<string> = new Set<ProblemCode>([
  "invalid-cursor",
  "sequence-mismatch",
  "stream-not-found",
  "subscription-not-found",
]);

/**
 * Refuses a stream that was made in another table: it is a copy of unknown age, and what it would
 * give out was perhaps given before. Throws `restore-pending`.
 */
export function assertRestored({ copied }: Pick<StreamRow, "copied">): void {
  if (copied === undefined) return;
  throw new LedgerError("restore-pending", {
    detail:
      "The table is a copy, and the restore is not complete. An operator has to send POST /restored.",
    retryAfterSeconds: 60,
  });
}

type EndedStream = Pick<StreamRow, "name" | "uid" | "partitions">;

const CREATE_TRIES = 5;
const SEAL_WAVE = 8;

const SETTINGS = [
  "description",
  "partitions",
  "compaction",
  "retentionHours",
  "archiveDays",
] as const satisfies readonly (keyof CreateStream)[];

function assertSameConfig(existing: StreamRow, asked: CreateStream): void {
  const differing = SETTINGS.filter((setting) => existing[setting] !== asked[setting]);
  if (differing.length === 0) return;
  throw new LedgerError("stream-exists", {
    detail: `A stream named ${asked.name} exists with a different ${differing.join(", ")}. PATCH it, or choose a different name.`,
    facts: { differing: differing.join(",") },
    errors: differencesOf(pick(existing), pick(asked)),
  });
}

const pick = (of: Pick<CreateStream, (typeof SETTINGS)[number]>) =>
  Object.fromEntries(SETTINGS.map((setting) => [setting, of[setting]]));
