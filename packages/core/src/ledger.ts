import type {
  CompactedQuery,
  CompactReceipt,
  CreateStream,
  PatchStream,
  PublishReceipt,
  Stream,
  StreamInfo,
} from "@eventledger/protocol";
import { createAccess } from "./access/access.ts";
import type { KeyKind } from "./access/key-text.ts";
import { type Bounds, coversDelivery, nameRangesOf } from "./access/permission.ts";
import { compactStream } from "./compaction/compact-stream.ts";
import { type Rung, ring } from "./compaction/doorbell.ts";
import { repairNumbering } from "./compaction/repair.ts";
import { completeRestore, type Restoration } from "./compaction/restore.ts";
import { type Swept, sweep } from "./compaction/sweep.ts";
import { type CursorKey, createCursors, invalidCursor } from "./cursor/cursor.ts";
import { assertSameList } from "./cursor/listed.ts";
import type { Clock } from "./kernel/clock.ts";
import type { StatsPage } from "./kernel/list-page.ts";
import type { Random } from "./kernel/random.ts";
import { createWaiting } from "./kernel/waiting.ts";
import type { ObserveAppend } from "./log/append/append.ts";
import { NEVER } from "./log/append/expectation-plan.ts";
import { createLog } from "./log/log.ts";
import type { IncomingEvent, StoredEvent } from "./model/event.ts";
import { lifeText } from "./model/life-text.ts";
import { defaultTenant, type ScopedName, scopeName, type Tenant } from "./model/names.ts";
import { createSightings } from "./model/sightings.ts";
import { createBrowsing } from "./operations/browsing.ts";
import { createPlaces } from "./operations/places.ts";
import { createSubscriptionOperations } from "./operations/subscriptions.ts";
import { assertCompacted, beginBootstrap, loadSnapshotPage } from "./snapshot/bootstrap.ts";
import { listCompacted, loadCompacted } from "./snapshot/compacted-list.ts";
import { measureCompactionLag } from "./status/compaction-lag.ts";
import { describeStream, toStream } from "./status/stream-info.ts";
import { listStreams } from "./status/stream-list.ts";
import { loadLags } from "./status/subscription-lags.ts";
import { createStreams, type LiveStream } from "./stream/streams.ts";
import { isInSnapshot } from "./subscription/position/progress.ts";
import { createSubscriptions, type Snapshots } from "./subscription/subscriptions.ts";
import type { Connection } from "./table/connection.ts";
import { createTable } from "./table/table.ts";

/**
 * A receipt knows no position in partitions that it did not touch, only when it was. A publisher
 * whose clock is late by less than this is not skipped there.
 */
const PUBLISHERS_APART_MS = 60_000;

export type LedgerDeps = {
  readonly client: Connection["client"];
  readonly tableName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The first signs, all are accepted. */
  readonly cursorKeys: readonly CursorKey[];
  /** Off: one append per request. For measuring only. */
  readonly groupCommit?: boolean;
  /** Of publishes, before others are refused as `too-many-requests`. */
  readonly waitingMax?: number | undefined;
  /** How long polls may wait here; 0 lets none wait. As long as the protocol allows unless it is said. */
  readonly waitSecondsMax?: number | undefined;
  /** Of the API keys made and accepted here: `test` unless it is said. */
  readonly keyKind?: KeyKind;
  /** Called for each step of every append. */
  readonly observeAppend?: ObserveAppend;
  /** Called for each key that is parked. */
  readonly observeParked?: () => void;
};

/** A page of the current state of keys; `cursor` is null at its end. */
export type CompactedPage = {
  readonly items: readonly StoredEvent[];
  readonly cursor: string | null;
  readonly follow: string;
  readonly life: string;
};

/** A request must be answered within 30 s. */
const COMPACT_BUDGET_MS = 15_000;
const RUN_BUDGET_MS = 60_000;

/**
 * Everything EventLedger does, over one table. The only place where its parts are put together.
 * Every operation takes the tenant first, and throws `LedgerError` for what has a name in the
 * protocol.
 */
export function createLedger(deps: LedgerDeps) {
  const { clock, random } = deps;
  const table = createTable({ client: deps.client, table: deps.tableName, clock, random });
  const cursors = createCursors(deps.cursorKeys);
  const { groupCommit = true, keyKind = "test" } = deps;
  const { observeAppend = () => {}, observeParked = () => {} } = deps;
  const queue = deps.waitingMax === undefined ? {} : { waitingMax: deps.waitingMax };
  const sightings = createSightings(clock);
  const core = { table, clock, random, sightings };
  const log = createLog({ ...core, groupCommit, observeAppend, ...queue });
  const waiting = createWaiting(deps.waitSecondsMax);
  const places = createPlaces({ clock, cursors, log });
  const streams = createStreams({ ...core, sealPartition: log.seal });
  const snapshots: Snapshots = {
    assertPossible: assertCompacted,
    begin: (stream) => beginBootstrap(core, stream),
    loadPage: (stream, bootstrap, page) => loadSnapshotPage(core, stream, bootstrap, page),
  };
  const subscriptions = createSubscriptions({ ...core, log, snapshots });

  return {
    access: createAccess({ ...core, kind: keyKind }),

    /** Answers all polls that wait, and lets none wait from now on: this process is about to end. */
    endWaits: (): void => log.bell.close(),

    /** How many seconds a poll should ask to wait here; 0 where waiting is off. */
    waitSecondsAdvised: (): number => waiting.advisedSeconds(),

    /** Answers when the table can be reached; throws `store-unavailable` otherwise. */
    async checkTable(): Promise<void> {
      await table.streams.load(scopeName(defaultTenant, "-"));
    },

    async createStream(
      tenant: Tenant,
      config: CreateStream,
    ): Promise<{ stream: Stream; created: boolean }> {
      const { stream, created } = await streams.create(tenant, config);
      return { stream: toStream(stream), created };
    },

    /** Of the tenant's streams, those that the globs cover. */
    listStreams: (tenant: Tenant, page: StatsPage, globs: readonly string[] = ["*"]) =>
      listStreams(core, tenant, page, nameRangesOf(globs)),

    /** Of its subscriptions, those within the bounds. */
    async getStream(tenant: Tenant, name: string, bounds: Bounds = {}): Promise<StreamInfo> {
      const stream = await streams.load(tenant, name);
      const [info, lags] = await Promise.all([
        describeStream({ table, clock }, stream),
        loadLags({ table, subscriptions }, stream, (row) => coversDelivery(bounds, row)),
      ]);
      return { ...info, subscriptions: lags };
    },

    async patchStream(tenant: Tenant, name: string, changes: PatchStream): Promise<Stream> {
      return toStream(await streams.patch(tenant, name, changes));
    },

    deleteStream: (tenant: Tenant, name: string): Promise<void> => streams.end(tenant, name),

    /**
     * Appends events, all or none, in order. `replayed` when an earlier request had done it, or when
     * there was nothing to do. What is expected of keys was seen in the life `ofLife`, if that is
     * known: in another one it does not hold.
     */
    async publish(
      tenant: Tenant,
      name: string,
      events: readonly IncomingEvent[],
      idempotencyKey?: string,
      ofLife?: string,
    ): Promise<PublishReceipt & { replayed: boolean }> {
      return streams.use(tenant, name, async (stream) => {
        const life = lifeText(stream);
        if (events.length === 0) {
          const positions = await log.seek(stream, "latest");
          const cursor = cursors.format({ life, positions, turn: 0 });
          return { events: [], cursor, life, replayed: true };
        }
        const expecting = expectInLife(stream, events, ofLife);
        const published = await log.publish(stream, expecting, idempotencyKey);
        const cursor = cursors.format({
          life,
          positions: published.positions,
          since: published.publishedAt - PUBLISHERS_APART_MS,
          turn: 0,
        });
        return { events: [...published.events], cursor, life, replayed: published.replayed };
      });
    },

    ...createBrowsing({ clock, streams, log, cursors, places, waiting }),

    ...createSubscriptionOperations({
      ...core,
      streams,
      log,
      cursors,
      places,
      snapshots,
      subscriptions,
      waiting,
      observeParked,
    }),

    /** The current state of keys, page by page. */
    async listCompacted(
      tenant: Tenant,
      name: string,
      { limit, prefix, cursor }: CompactedQuery,
    ): Promise<CompactedPage> {
      const stream = await streams.load(tenant, name);
      const from = cursor === undefined ? undefined : await places.ofCursor(stream, cursor);
      const bootstrap = from?.bootstrap;
      if (cursor !== undefined && !isInSnapshot(bootstrap)) throw invalidCursor("other-query");
      if (from !== undefined) assertSameList(from, prefix);
      const page = await listCompacted(core, stream, { limit, prefix, from: bootstrap });
      return {
        items: page.items,
        cursor: page.cursor === undefined ? null : cursors.format(page.cursor),
        follow: cursors.format(page.follow),
        life: lifeText(stream),
      };
    },

    /** The current state of one key, and a tag that changes with it. Throws `key-not-found`. */
    async getCompacted(
      tenant: Tenant,
      name: string,
      key: string,
    ): Promise<{ event: StoredEvent; tag: string; life: string }> {
      const stream = await streams.load(tenant, name);
      const event = await loadCompacted({ table }, stream, key);
      const life = lifeText(stream);
      return { event, tag: `${life}-${event.sequence}`, life };
    },

    /** Brings the compacted state up to the end of the stream now, as far as the time goes. */
    async compact(
      tenant: Tenant,
      name: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<CompactReceipt> {
      return compactStream(core, await streams.load(tenant, name), budget);
    },

    /** Compacts what the partition keys of a table stream's records point to: see `ring`. */
    ring: (
      partitionKeys: readonly string[],
      budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS },
    ): Promise<Rung> => ring(core, partitionKeys, budget),

    /** Whatever needs doing from time to time: see `sweep`. */
    sweep: (budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS }): Promise<Swept> =>
      sweep({ ...core, finishEnd: streams.finishEnd }, budget),

    /**
     * For operators: completes a restore of the table, see `completeRestore`. `name` is what they call
     * it, where the copy has the name that the table had before.
     */
    completeRestore: (
      name?: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<Restoration> =>
      completeRestore(
        {
          ...core,
          tableName: deps.tableName,
          forget(stream) {
            streams.forget(stream.name);
            subscriptions.forgetLife(stream.life);
            log.forget(stream);
          },
        },
        { name, ...budget },
      ),

    /** See `measureCompactionLag`. */
    compactionLag: (names?: Iterable<ScopedName>): Promise<number> =>
      measureCompactionLag({ table, clock }, names),

    /**
     * For operators: makes a stream publishable again that was not checked for 30 days. See
     * `repairNumbering` for what readers lose. Answers where each repaired partition goes on.
     */
    async repairNumbering(tenant: Tenant, name: string): Promise<Record<number, number>> {
      const stream = await streams.load(tenant, name);
      const repaired: Record<number, number> = {};
      for (let partition = 0; partition < stream.partitions; partition++) {
        const next = await repairNumbering({ table, clock }, stream, partition);
        if (next !== undefined) repaired[partition] = next;
      }
      return repaired;
    },
  };
}

/** Throws `not-compacted` where the last events of keys are not known. */
function expectInLife(
  stream: LiveStream,
  events: readonly IncomingEvent[],
  ofLife: string | undefined,
): readonly IncomingEvent[] {
  if (events.every(({ expectedSequence }) => expectedSequence === undefined)) return events;
  assertCompacted(stream);
  if (ofLife === undefined || ofLife === lifeText(stream)) return events;
  return events.map((event) =>
    event.expectedSequence === undefined ? event : { ...event, expectedSequence: NEVER },
  );
}

export type Ledger = ReturnType<typeof createLedger>;
