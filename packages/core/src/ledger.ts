import type {
  BrowseQuery,
  CreateStream,
  CreateSubscription,
  Lag,
  PatchStream,
  PollQuery,
  PublishReceipt,
  Stream,
  StreamInfo,
  Subscription,
  SubscriptionInfo,
} from "@eventledger/protocol";
import {
  type CursorKey,
  createCursors,
  formatListCursor,
  invalidCursor,
  parseListCursor,
} from "./cursor/cursor.ts";
import type { Clock } from "./kernel/clock.ts";
import { invalidRequest } from "./kernel/error.ts";
import { bareName, scopeName, type Tenant } from "./kernel/names.ts";
import type { Random } from "./kernel/random.ts";
import { browse } from "./log/browse.ts";
import type { IncomingEvent, StoredEvent } from "./log/event.ts";
import { createLog, type Place } from "./log/log.ts";
import { describeStream, toStream } from "./stream/stream-info.ts";
import { createStreams, type LiveStream } from "./stream/streams.ts";
import { commit } from "./subscription/commit.ts";
import { poll } from "./subscription/poll.ts";
import { createSubscriptions } from "./subscription/subscriptions.ts";
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
};

type ListPage = { readonly limit: number; readonly cursor?: string | undefined };

export type EventsPage = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
};

export type PollResult = EventsPage & {
  readonly phase: "bootstrap" | "log";
  readonly consistent: boolean;
  readonly lag: Lag;
  readonly nextPollMs: number;
};

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
  const { groupCommit = true } = deps;
  const log = createLog({ table, clock, random, groupCommit });
  const streams = createStreams({ table, clock, random, sealPartition: log.seal });
  const subscriptions = createSubscriptions({ table, clock, random, log });

  return {
    /** Answers when the table can be reached; throws `store-unavailable` otherwise. */
    async checkTable(): Promise<void> {
      await table.streams.load(scopeName("default" as Tenant, "-"));
    },

    async createStream(
      tenant: Tenant,
      config: CreateStream,
    ): Promise<{ stream: Stream; created: boolean }> {
      const { stream, created } = await streams.create(tenant, config);
      return { stream: toStream(stream), created };
    },

    async listStreams(tenant: Tenant, { limit, cursor }: ListPage) {
      const after = cursor === undefined ? undefined : scopeName(tenant, parseListCursor(cursor));
      const page = await table.streams.list(tenant, limit, after);
      const next = page.next === null ? null : formatListCursor(bareName(page.next));
      return { streams: page.streams.map(toStream), cursor: next };
    },

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
      return { ...toSubscription(state.row), phase: "log", lag };
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
      const page = await poll({ subscriptions, log }, stream, subscription, {
        limit,
        ...(after === undefined ? {} : { after: cursors.parse(after) }),
      });
      const pace = page.caughtUp ? (page.events.length > 0 ? "news" : "idle") : "more";
      return {
        ...page,
        cursor: cursors.format(page.cursor),
        phase: "log",
        consistent: true,
        nextPollMs: NEXT_POLL_MS[pace],
      };
    },

    /** Moves a subscription's committed position forward to what a polled cursor covers. */
    async commit(tenant: Tenant, name: string, subscription: string, cursor: string) {
      const stream = await streams.recall(tenant, name);
      const result = await commit({ subscriptions }, stream, subscription, cursors.parse(cursor));
      return { ...result, committed: cursors.format(result.committed) };
    },

    /** Whatever needs doing from time to time: see `sweep`. */
    async sweep(): Promise<void> {},
  };

  function parseFrom(stream: LiveStream, from: string): Place | ReturnType<typeof cursors.parse> {
    if (from === "earliest" || from === "latest") return from;
    if (SEQUENCE.test(from)) return { sequence: assertOneSequence(stream, from) };
    const timeMs = Date.parse(from);
    if (TIMESTAMP.test(from) && Number.isFinite(timeMs)) return { timeMs };
    const cursor = cursors.parse(from);
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
