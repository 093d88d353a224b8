import type { Lag, PollBody, RedeliveryReason, SnapshotProgress } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import type { StoredEvent } from "../model/event.ts";
import { lifeText } from "../model/life-text.ts";
import type { Tenant } from "../model/names.ts";
import type { LiveStream } from "../stream/streams.ts";
import { createPace } from "../subscription/poll/pace.ts";
import type { Poll } from "../subscription/poll/page.ts";
import { poll } from "../subscription/poll/poll.ts";
import { waitForEvents } from "../subscription/poll/wait.ts";
import { type Committed, commit, lagAfterCommit } from "../subscription/position/commit.ts";
import { cursorAfter } from "../subscription/position/commit-sequence.ts";
import { pollShare } from "../subscription/workers/poll-share.ts";
import type { Parts } from "./parts.ts";

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

/** Delivering a subscription's events and committing them. Cursors are text outside. */
export function pollOperations(parts: Parts) {
  const { clock, streams, log, cursors, subscriptions, leases, waiting } = parts;
  const pace = createPace(clock);

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
    const { page, waitedOut } = await waitForEvents<Poll>(
      { notifier: log.notifier, clock },
      stream.life,
      {
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
        hasNewEvents: async ({ cursor }) =>
          consumer !== undefined || log.hasNewEvents(stream.life, cursor.positions),
      },
    );
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
     * The same after a commit, if there is one. A cursor that covers less than others have
     * committed is read on from, so that its reader misses nothing of what lies between.
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
     * Moves a subscription's committed position forward to what a polled cursor covers, or on a
     * stream with one partition past an event.
     */
    async commit(tenant: Tenant, name: string, subscription: string, to: string | number) {
      return streams.use(tenant, name, async (stream) => {
        const processed =
          typeof to === "string" ? { cursor: to } : { sequence: to, pointer: "/sequence" };
        const done = await commitOn(stream, subscription, processed);
        const lag = await lagAfterCommit(parts, stream, done);
        return { ...verdictOf(done), lag, life: lifeText(stream) };
      });
    },

    /** A worker ends: what it held is free at once. */
    async leave(tenant: Tenant, name: string, subscription: string, consumer: string) {
      await streams.use(tenant, name, async (stream) => {
        await leases.leave(stream, subscription, consumer);
        log.notifier.notify(stream.life);
      });
    },

    /** How many polls wait in this process right now. */
    waitingPolls: (): number => log.notifier.size(),

    /**
     * Answers all polls that wait, and lets none wait from now on: this process is about to end.
     */
    endWaits: (): void => log.notifier.close(),

    /** How many seconds a poll should ask to wait here; 0 where waiting is off. */
    waitSecondsAdvised: (): number => waiting.advisedSeconds(),
  };
}
