import type {
  Lag,
  ListedSubscription,
  PatchedSubscription,
  PatchSubscription,
  Place,
  PollBody,
  RedeliveryReason,
  SeekBody,
  SeekReceipt,
  SnapshotProgress,
  Subscription,
  SubscriptionInfo,
} from "@eventledger/protocol";
import { type Bounds, coversDelivery } from "../access/permission.ts";
import { type Cursors, formatListCursor, parseListCursor } from "../cursor/cursor.ts";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError, subscriptionNotFound } from "../kernel/error.ts";
import { fittingItems, type StatsPage } from "../kernel/list-page.ts";
import type { Random } from "../kernel/random.ts";
import type { Waiting } from "../kernel/waiting.ts";
import type { Log } from "../log/log.ts";
import type { StoredEvent } from "../model/event.ts";
import { lifeText } from "../model/life-text.ts";
import type { Tenant } from "../model/names.ts";
import {
  createSubscriptionInfo,
  measuredAtOnce,
  toSubscription,
} from "../status/subscription-info.ts";
import type { LiveStream, Streams } from "../stream/streams.ts";
import { type Covers, listCovered } from "../subscription/covered.ts";
import { createParking } from "../subscription/parking/parking.ts";
import { createDeliveries } from "../subscription/poll/deliveries.ts";
import { createPace } from "../subscription/poll/pace.ts";
import type { Poll } from "../subscription/poll/page.ts";
import { poll } from "../subscription/poll/poll.ts";
import { waitForNews } from "../subscription/poll/wait.ts";
import { type Committed, commit, lagBehind } from "../subscription/position/commit.ts";
import { cursorAfter } from "../subscription/position/commit-sequence.ts";
import { seek, standingAtCursor } from "../subscription/position/seek.ts";
import { change } from "../subscription/settings/change.ts";
import type { NewSubscription, Snapshots, Subscriptions } from "../subscription/subscriptions.ts";
import { createLeases } from "../subscription/workers/leases.ts";
import { pollShare } from "../subscription/workers/poll-share.ts";
import type { Table } from "../table/table.ts";
import { createParkingOperations } from "./parking.ts";
import { normalPlace, type Places } from "./places.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly streams: Streams;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly places: Places;
  readonly snapshots: Snapshots;
  readonly subscriptions: Subscriptions;
  readonly waiting: Waiting;
  /** Called for each key that is parked. */
  readonly observeParked: () => void;
};

/** What a poll asks for. Cursors are as the client has them. */
type PollRequest = {
  readonly limit: number;
  readonly waitSeconds?: number | undefined;
  readonly after?: string | undefined;
  /** Which worker asks, of several that share the subscription. */
  readonly consumer?: string | undefined;
};

export type PollResult = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly phase: "bootstrap" | "log";
  readonly snapshot?: SnapshotProgress;
  readonly snapshotEnd: boolean;
  readonly consistent: boolean;
  readonly lag: Lag;
  readonly nextPollMs: number;
  readonly waitSecondsAdvised: number;
  readonly life: string;
};

/** What a client has processed: what a cursor covers, or everything up to an event. */
type Done = { readonly cursor: string } | { readonly sequence: number; readonly pointer: string };
/** What a commit has done. */
type CommitVerdict = {
  readonly committed: string;
  readonly stale: boolean;
  readonly redelivers: "nothing" | "part" | "all";
  readonly redeliversBecause: RedeliveryReason[];
};

/** How reading on from a cursor ends when what follows it is no longer kept. */
const PASSED: ReadonlySet<string> = new Set(["retention-passed", "bootstrap-expired"]);

/** The part of the ledger that is about subscriptions: cursors are text outside, content inside. */
export function createSubscriptionOperations(deps: Deps) {
  const { table, clock, random, streams, log, cursors, places, snapshots, subscriptions } = deps;
  const { waiting, observeParked } = deps;
  const pace = createPace(clock);
  const leases = createLeases({ table, clock, random, subscriptions });
  const parking = createParking({ table, clock, log, subscriptions, observeParked });
  const deliveries = createDeliveries({ table, log, subscriptions, parking });
  const parts = { table, subscriptions, log, snapshots, leases, deliveries };
  const info = createSubscriptionInfo({ subscriptions, log, leases, cursors });

  /** One poll, or several until there is something to tell. */
  async function pollStream(
    stream: LiveStream,
    name: string,
    { limit, after, consumer, waitSeconds = 0 }: PollRequest,
    signal: AbortSignal | undefined,
  ): Promise<PollResult> {
    const from = { limit, after: after === undefined ? undefined : cursors.parse(after) };
    const leaseMs = consumer === undefined ? undefined : await loadLeaseMs(stream, name);
    const heardMs = clock.now();
    const { page, waitedOut } = await waitForNews<Poll>({ bell: log.bell, clock }, stream.life, {
      ...{ waitMs: waiting.grantedMs(waitSeconds, leaseMs), signal },
      gapMaxMs: leaseMs === undefined ? undefined : leaseMs / 4,
      look: (before) => {
        const request = { ...from, ahead: before?.cursor, before: before?.presence };
        return subscriptions.use(stream, name, () =>
          consumer === undefined
            ? poll(parts, stream, name, request)
            : pollShare(parts, stream, name, { ...request, consumer, heardMs }),
        );
      },
      // A worker has its leases to look after as well.
      isQuiet: async ({ cursor }) =>
        consumer === undefined && log.isQuiet(stream.life, cursor.positions),
    });
    const { idle: _, presence: __, ...rest } = page;
    const nextPollMs = pace.next(`${stream.life}#${name}#${consumer ?? ""}`, page);
    return {
      ...rest,
      cursor: cursors.format(page.cursor),
      nextPollMs: waitedOut ? 0 : nextPollMs,
      waitSecondsAdvised: waiting.advisedSeconds(leaseMs),
      life: lifeText(stream),
    };
  }

  async function loadLeaseMs(stream: LiveStream, name: string): Promise<number> {
    const { row } = await subscriptions.recall(stream, name);
    return row.config.leaseSeconds * 1_000;
  }

  async function commitOn(stream: LiveStream, name: string, done: Done) {
    return subscriptions.use(stream, name, async () => {
      const content =
        "cursor" in done
          ? cursors.parse(done.cursor)
          : await cursorAfter(parts, stream, name, done);
      return { ...(await commit(parts, stream, name, content)), cursor: content };
    });
  }

  /** What came of a commit, for its client. */
  const verdictOf = ({ committed, stale, redelivery }: Committed): CommitVerdict => ({
    committed: cursors.format(committed),
    stale,
    redelivers: redelivery?.part ?? "nothing",
    redeliversBecause: [...(redelivery?.because ?? [])],
  });

  /**
   * Reads on from a cursor that others have overtaken. Where what follows it is no longer kept, it
   * reads from the committed offset, and the page says that it is not consistent.
   */
  async function pollOlder(
    stream: LiveStream,
    name: string,
    request: PollRequest,
    signal: AbortSignal | undefined,
  ): Promise<PollResult> {
    try {
      return await pollStream(stream, name, request, signal);
    } catch (error) {
      if (!(error instanceof LedgerError) || !PASSED.has(error.code)) throw error;
      const page = await pollStream(stream, name, { ...request, after: undefined }, signal);
      return { ...page, consistent: false };
    }
  }

  return {
    async createSubscription(
      tenant: Tenant,
      name: string,
      config: Omit<NewSubscription, "start"> & { readonly start: Place },
    ): Promise<{ subscription: Subscription; created: boolean }> {
      const stream = await streams.load(tenant, name);
      const start = normalPlace(config.start);
      const asked = { ...config, start };
      const { row, created } = await subscriptions.create(stream, asked, async () => {
        if (start === "bootstrap") return undefined;
        const place = places.ofBody(stream, start, { pointer: "/start" });
        return typeof place === "object" && "cursor" in place
          ? standingAtCursor(log, stream, place.cursor, config.filter?.keyPrefix)
          : { positions: await log.seek(stream, place), bootstrap: undefined };
      });
      return { subscription: toSubscription(stream, row), created };
    },

    /**
     * Throws `subscription-not-found` for one that is not within the bounds. It uses what this
     * process knows of it, which may be a few seconds old.
     */
    async assertReaches(tenant: Tenant, name: string, subscription: string, bounds: Bounds) {
      await streams.use(tenant, name, async (stream) => {
        const { row } = await subscriptions.recall(stream, subscription);
        if (!coversDelivery(bounds, row)) throw subscriptionNotFound();
      });
    },

    /** Those within the bounds. */
    async listSubscriptions(
      tenant: Tenant,
      name: string,
      { limit, cursor, stats = false }: StatsPage,
      bounds: Bounds = {},
    ) {
      const stream = await streams.load(tenant, name);
      const list = `subscriptions ${stream.uid}` as const;
      const after = cursor === undefined ? undefined : parseListCursor(list, cursor);
      const covers: Covers = (row) => coversDelivery(bounds, row);
      const most = stats ? Math.min(limit, measuredAtOnce(stream)) : limit;
      const page = await listCovered(table, stream, covers, { limit: most, after });
      const listed: ListedSubscription[] = stats
        ? await info.measureListed(stream, page.subscriptions)
        : page.subscriptions.map((row) => toSubscription(stream, row));
      const found = fittingItems(listed);
      const isCut = found.length < listed.length;
      const next = isCut ? (found.at(-1)?.name ?? null) : page.next;
      return {
        subscriptions: [...found],
        cursor: next === null ? null : formatListCursor(list, next),
      };
    },

    async getSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
    ): Promise<SubscriptionInfo> {
      const stream = await streams.load(tenant, name);
      const state = await subscriptions.load(stream, subscription);
      return info.describe(stream, state);
    },

    /** Changes settings. See `change` for what another filter means. */
    async patchSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
      asked: PatchSubscription,
    ): Promise<PatchedSubscription> {
      const stream = await streams.load(tenant, name);
      const { state, warnings } = await change(parts, stream, subscription, asked);
      log.bell.ring(stream.life);
      return { ...toSubscription(stream, state.row), warnings: [...warnings] };
    },

    /** Throws `subscription-not-found` for one that is not within the bounds. */
    async deleteSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
      bounds: Bounds = {},
    ): Promise<void> {
      const stream = await streams.load(tenant, name);
      await subscriptions.remove(stream, subscription, (row) => coversDelivery(bounds, row));
    },

    /**
     * Delivers what comes after the committed position, or after `after`; moves nothing. Waits for
     * events up to `waitSeconds`, unless the signal aborts.
     */
    async poll(
      tenant: Tenant,
      name: string,
      subscription: string,
      request: PollRequest,
      signal?: AbortSignal,
    ): Promise<PollResult> {
      return streams.use(tenant, name, (stream) =>
        pollStream(stream, subscription, request, signal),
      );
    },

    /**
     * The same after a commit, if there is one. A cursor that covers less than others have committed is
     * read on from, so that its reader misses nothing of what lies between.
     */
    async commitAndPoll(
      tenant: Tenant,
      name: string,
      subscription: string,
      { commit: to, ...request }: PollRequest & Pick<Partial<PollBody>, "commit">,
      signal?: AbortSignal,
    ): Promise<PollResult & Partial<CommitVerdict>> {
      return streams.use(tenant, name, async (stream) => {
        const processed =
          typeof to === "string" ? { cursor: to } : to && { ...to, pointer: "/commit/sequence" };
        const done = processed && (await commitOn(stream, subscription, processed));
        if (done === undefined) return pollStream(stream, subscription, request, signal);
        const isOlder = done.isOlder && request.after === undefined;
        const page = isOlder
          ? await pollOlder(
              stream,
              subscription,
              { ...request, after: cursors.format(done.cursor) },
              signal,
            )
          : await pollStream(stream, subscription, request, signal);
        return { ...page, ...verdictOf(done) };
      });
    },

    /**
     * Moves a subscription's committed position forward to what a polled cursor covers, or on a stream
     * with one partition past an event.
     */
    async commit(tenant: Tenant, name: string, subscription: string, to: string | number) {
      return streams.use(tenant, name, async (stream) => {
        const processed =
          typeof to === "string" ? { cursor: to } : { sequence: to, pointer: "/sequence" };
        const done = await commitOn(stream, subscription, processed);
        const lag = await lagBehind(parts, stream, done);
        return { ...verdictOf(done), lag, life: lifeText(stream) };
      });
    },

    /** Moves a subscription on purpose, back or forward. */
    async seek(
      tenant: Tenant,
      name: string,
      subscription: string,
      { to }: SeekBody,
    ): Promise<SeekReceipt> {
      const stream = await streams.load(tenant, name);
      const place = normalPlace(to);
      const target =
        place === "bootstrap" ? place : places.ofBody(stream, place, { pointer: "/to" });
      const sought = await seek(parts, stream, subscription, target);
      log.bell.ring(stream.life);
      return { ...sought, committed: cursors.format(sought.committed), life: lifeText(stream) };
    },

    /** A worker ends: what it held is free at once. */
    async leave(tenant: Tenant, name: string, subscription: string, consumer: string) {
      await streams.use(tenant, name, async (stream) => {
        await leases.leave(stream, subscription, consumer);
        log.bell.ring(stream.life);
      });
    },

    ...createParkingOperations({ streams, subscriptions, parking }),

    /** How many polls wait in this process right now. */
    waitingPolls: (): number => log.bell.size(),
  };
}
