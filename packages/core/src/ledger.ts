import type {
  BrowseQuery,
  CompactedQuery,
  CompactReceipt,
  CreateStream,
  CreateSubscription,
  Lag,
  PatchStream,
  PollQuery,
  PublishReceipt,
  SeekBody,
  SeekReceipt,
  Stream,
  StreamInfo,
  Subscription,
  SubscriptionInfo,
} from "@eventledger/protocol";
import { createAccess } from "./access/access.ts";
import type { KeyKind } from "./access/key-text.ts";
import { nameRangesOf } from "./access/permission.ts";
import { assertCompacted, beginBootstrap, loadSnapshotPage } from "./compaction/bootstrap.ts";
import { compactStream } from "./compaction/compact-stream.ts";
import { listCompacted, loadCompacted } from "./compaction/compacted-list.ts";
import { type Rung, ring } from "./compaction/doorbell.ts";
import { repairNumbering } from "./compaction/repair.ts";
import { type Swept, sweep } from "./compaction/sweep.ts";
import {
  type CursorKey,
  createCursors,
  formatListCursor,
  invalidCursor,
  parseListCursor,
} from "./cursor/cursor.ts";
import type { Clock } from "./kernel/clock.ts";
import { invalidRequest } from "./kernel/error.ts";
import {
  bareName,
  defaultTenant,
  type ScopedName,
  scopeName,
  type Tenant,
} from "./kernel/names.ts";
import type { Random } from "./kernel/random.ts";
import type { ObserveAppend } from "./log/append.ts";
import { browse } from "./log/browse.ts";
import type { IncomingEvent, StoredEvent } from "./log/event.ts";
import { createLog, type Place } from "./log/log.ts";
import { measureCompactionLag } from "./stream/compaction-lag.ts";
import { describeStream, toStream } from "./stream/stream-info.ts";
import { listStreams } from "./stream/stream-list.ts";
import { createStreams, type LiveStream } from "./stream/streams.ts";
import { commit } from "./subscription/commit.ts";
import { poll } from "./subscription/poll.ts";
import { seek } from "./subscription/seek.ts";
import { isInSnapshot } from "./subscription/standing.ts";
import { createSubscriptions, type Snapshots } from "./subscription/subscriptions.ts";
import type { Connection } from "./table/connection.ts";
import type { SubscriptionRow } from "./table/subscription.entity.ts";
import { createTable } from "./table/table.ts";

export type LedgerDeps = {
  readonly client: Connection["client"];
  readonly tableName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The first signs, all are accepted. */
  readonly cursorKeys: readonly CursorKey[];
  /** Off: one append per request. For measuring only. */
  readonly groupCommit?: boolean;
  /** Of the API keys made and accepted here: `test` unless it is said. */
  readonly keyKind?: KeyKind;
  /** Told of each step of every append. */
  readonly observeAppend?: ObserveAppend;
};

type ListPage = { readonly limit: number; readonly cursor?: string | undefined };

export type EventsPage = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
};

export type PollResult = EventsPage & {
  readonly phase: "bootstrap" | "log";
  readonly snapshotEnd: boolean;
  readonly consistent: boolean;
  readonly lag: Lag;
  readonly nextPollMs: number;
};

/** A request must be answered within 30 s. */
const COMPACT_BUDGET_MS = 15_000;
const RUN_BUDGET_MS = 60_000;

/** When polling again is worth it: at once while there is more, soon after news, else in a second. */
const NEXT_POLL_MS = { more: 0, news: 200, idle: 1_000 };

/**
 * Everything EventLedger does, over one table. The only place where its parts are put together.
 * Every operation takes the tenant first, and throws `LedgerError` for what has a name in the
 * protocol.
 */
export function createLedger(deps: LedgerDeps) {
  const { clock, random } = deps;
  const table = createTable({ client: deps.client, table: deps.tableName, clock, random });
  const cursors = createCursors(deps.cursorKeys);
  const { groupCommit = true, keyKind = "test", observeAppend = () => {} } = deps;
  const log = createLog({ table, clock, random, groupCommit, observeAppend });
  const streams = createStreams({ table, clock, random, sealPartition: log.seal });
  const core = { table, clock, random };
  const snapshots: Snapshots = {
    assertPossible: assertCompacted,
    begin: (stream) => beginBootstrap(core, stream),
    loadPage: (stream, bootstrap, page) => loadSnapshotPage(core, stream, bootstrap, page),
  };
  const subscriptions = createSubscriptions({ ...core, log, snapshots });

  return {
    access: createAccess({ ...core, kind: keyKind }),

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
    listStreams: (tenant: Tenant, page: ListPage, globs: readonly string[] = ["*"]) =>
      listStreams(table, tenant, page, nameRangesOf(globs)),

    async getStream(tenant: Tenant, name: string): Promise<StreamInfo> {
      return describeStream({ table, clock }, await streams.load(tenant, name));
    },

    async patchStream(tenant: Tenant, name: string, changes: PatchStream): Promise<Stream> {
      return toStream(await streams.patch(tenant, name, changes));
    },

    deleteStream: (tenant: Tenant, name: string): Promise<void> => streams.end(tenant, name),

    /**
     * Appends events, all or none, in order. `replayed` when an earlier request had done it, or when
     * there was nothing to do.
     */
    async publish(
      tenant: Tenant,
      name: string,
      events: readonly IncomingEvent[],
      idempotencyKey?: string,
    ): Promise<PublishReceipt & { replayed: boolean }> {
      const stream = await streams.recall(tenant, name);
      if (events.length === 0) {
        const positions = await log.seek(stream, "latest");
        const cursor = cursors.format({ streamUid: stream.uid, positions, turn: 0 });
        return { events: [], cursor, replayed: true };
      }
      const published = await log.publish(stream, events, idempotencyKey);
      const cursor = cursors.format({
        streamUid: stream.uid,
        positions: published.positions,
        since: published.publishedAt,
        turn: 0,
      });
      return { events: [...published.events], cursor, replayed: published.replayed };
    },

    /** Reads a stream without a subscription. */
    async browse(
      tenant: Tenant,
      name: string,
      { from, limit, type, key }: BrowseQuery,
    ): Promise<EventsPage> {
      const stream = await streams.recall(tenant, name);
      const filtered = type !== undefined || key !== undefined;
      const matches = (event: StoredEvent) =>
        (type === undefined || event.type === type) && (key === undefined || event.key === key);
      const page = await browse(log, stream, parseFrom(stream, from), {
        limit,
        matches: filtered ? matches : undefined,
      });
      return { ...page, cursor: cursors.format(page.cursor) };
    },

    async createSubscription(
      tenant: Tenant,
      name: string,
      config: CreateSubscription,
    ): Promise<{ subscription: Subscription; created: boolean }> {
      const stream = await streams.load(tenant, name);
      const { row, created } = await subscriptions.create(stream, config);
      return { subscription: toSubscription(row), created };
    },

    async listSubscriptions(tenant: Tenant, name: string, { limit, cursor }: ListPage) {
      const stream = await streams.load(tenant, name);
      const after = cursor === undefined ? undefined : parseListCursor(cursor);
      const page = await table.subscriptions.list(stream.name, stream.uid, limit, after);
      return {
        subscriptions: page.subscriptions.map(toSubscription),
        cursor: page.next === null ? null : formatListCursor(page.next),
      };
    },

    async getSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
    ): Promise<SubscriptionInfo> {
      const stream = await streams.load(tenant, name);
      const state = await subscriptions.load(stream, subscription);
      const lag = await subscriptions.lag(stream, state);
      const phase = isInSnapshot(state.bootstrap) ? "bootstrap" : "log";
      return { ...toSubscription(state.row), phase, lag };
    },

    async deleteSubscription(tenant: Tenant, name: string, subscription: string): Promise<void> {
      await subscriptions.remove(await streams.load(tenant, name), subscription);
    },

    /** Delivers what comes after the committed position, or after `after`; moves nothing. */
    async poll(
      tenant: Tenant,
      name: string,
      subscription: string,
      { limit, after }: PollQuery,
    ): Promise<PollResult> {
      const stream = await streams.recall(tenant, name);
      const page = await poll({ subscriptions, log, snapshots }, stream, subscription, {
        limit,
        ...(after === undefined ? {} : { after: cursors.parse(after) }),
      });
      const pace = page.caughtUp ? (page.events.length > 0 ? "news" : "idle") : "more";
      return {
        ...page,
        cursor: cursors.format(page.cursor),
        nextPollMs: NEXT_POLL_MS[pace],
      };
    },

    /** Moves a subscription's committed position forward to what a polled cursor covers. */
    async commit(tenant: Tenant, name: string, subscription: string, cursor: string) {
      const stream = await streams.recall(tenant, name);
      const result = await commit({ subscriptions }, stream, subscription, cursors.parse(cursor));
      return { ...result, committed: cursors.format(result.committed) };
    },

    /** Moves a subscription on purpose, back or forward. */
    async seek(
      tenant: Tenant,
      name: string,
      subscription: string,
      { to }: SeekBody,
    ): Promise<SeekReceipt> {
      const stream = await streams.load(tenant, name);
      const sought = await seek(
        { subscriptions, log, snapshots },
        stream,
        subscription,
        parseTarget(to),
      );
      return { ...sought, committed: cursors.format(sought.committed) };
    },

    /** The current state of keys, page by page. */
    async listCompacted(
      tenant: Tenant,
      name: string,
      { limit, prefix, cursor }: CompactedQuery,
    ): Promise<{ items: readonly StoredEvent[]; cursor: string | null; follow: string }> {
      const stream = await streams.load(tenant, name);
      const from = cursor === undefined ? undefined : parseFrom(stream, cursor);
      const bootstrap =
        typeof from === "object" && "bootstrap" in from ? from.bootstrap : undefined;
      if (cursor !== undefined && !isInSnapshot(bootstrap)) throw invalidCursor();
      const page = await listCompacted(core, stream, { limit, prefix, from: bootstrap });
      return {
        items: page.items,
        cursor: page.cursor === undefined ? null : cursors.format(page.cursor),
        follow: cursors.format(page.follow),
      };
    },

    /** The current state of one key, and a tag that changes with it. Throws `key-not-found`. */
    async getCompacted(
      tenant: Tenant,
      name: string,
      key: string,
    ): Promise<{ event: StoredEvent; tag: string }> {
      const stream = await streams.load(tenant, name);
      const event = await loadCompacted({ table }, stream, key);
      return { event, tag: `${stream.uid}-${event.sequence}` };
    },

    /** Brings the compacted state up to the end of the stream now, as far as the time goes. */
    async compact(
      tenant: Tenant,
      name: string,
      budget: { budgetMs: number } = { budgetMs: COMPACT_BUDGET_MS },
    ): Promise<CompactReceipt> {
      return compactStream({ table, clock }, await streams.load(tenant, name), budget);
    },

    /** Compacts what the partition keys of a table stream's records point to: see `ring`. */
    ring: (
      partitionKeys: readonly string[],
      budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS },
    ): Promise<Rung> => ring({ table, clock }, partitionKeys, budget),

    /** Whatever needs doing from time to time: see `sweep`. */
    sweep: (budget: { budgetMs: number } = { budgetMs: RUN_BUDGET_MS }): Promise<Swept> =>
      sweep({ ...core, finishEnd: streams.finishEnd }, budget),

    /** See `measureCompactionLag`. */
    compactionLag: (names?: Iterable<ScopedName>): Promise<number> =>
      measureCompactionLag({ table, clock }, names),

    /**
     * For operators: makes a stream publishable again that nobody has looked at for 30 days. See
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

  function parseTarget(to: SeekBody["to"]) {
    if (typeof to === "string") return to;
    if ("cursor" in to) return { cursor: cursors.parse(to.cursor) };
    return { timeMs: Date.parse(to.timestamp) };
  }

  function parseFrom(stream: LiveStream, from: string): Place | ReturnType<typeof cursors.parse> {
    if (from === "earliest" || from === "latest") return from;
    if (SEQUENCE.test(from)) return { sequence: assertOneSequence(stream, from) };
    const timeMs = Date.parse(from);
    if (TIMESTAMP.test(from) && Number.isFinite(timeMs)) return { timeMs };
    const cursor = cursors.parse(from);
    if (cursor.subscription !== undefined) {
      throw invalidCursor("The cursor belongs to a subscription: poll with it, as `after`.");
    }
    if (cursor.streamUid !== stream.uid || cursor.positions.length > stream.partitions) {
      throw invalidCursor("The cursor belongs to another stream, or to a former life of this one.");
    }
    return cursor;
  }
}

export type Ledger = ReturnType<typeof createLedger>;

/** Where every event of a stream has a number of its own, that number is a place. */
function assertOneSequence({ partitions }: LiveStream, from: string): number {
  if (partitions === 1) return Number(from);
  throw invalidRequest(
    "/query/from",
    "may be a sequence only on a stream with one partition; use a time or a cursor here",
  );
}

const SEQUENCE = /^\d{1,14}$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T/;

const toSubscription = (row: SubscriptionRow): Subscription => ({
  name: row.name,
  stream: bareName(row.stream),
  start: row.config.start,
  createdAt: new Date(row.createdAt).toISOString(),
});
