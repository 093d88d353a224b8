import type { PollBody, RedeliveryReason } from "@eventledger/protocol";
import { inAllEpochs } from "../cursor/later-chains.ts";
import { LedgerError } from "../kernel/error.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import { ringChanged } from "../push/ring-changed.ts";
import { IDLE_MEMORY_MS, type LiveStream } from "../stream/live-streams.ts";
import { createPace } from "../subscription/poll/pace.ts";
import type { Poll } from "../subscription/poll/page.ts";
import { poll } from "../subscription/poll/poll.ts";
import { waitForEvents } from "../subscription/poll/wait.ts";
import { type Committed, commit, lagAfterCommit } from "../subscription/position/commit.ts";
import { cursorAfter } from "../subscription/position/commit-sequence.ts";
import { pollShare } from "../subscription/workers/poll-share.ts";
import { offerDifference } from "./offer-difference.ts";
import type { Parts } from "./parts.ts";

/** The parameters of a poll. Cursors are in their text form. */
type PollRequest = {
  readonly limit: number;
  readonly waitSeconds?: number | undefined;
  readonly after?: string | undefined;
  /** True on a connection that stays open whether this poll waits or not. */
  readonly held?: boolean | undefined;
  /** The polling worker, if several share the subscription. */
  readonly consumer?: string | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /**
   * When the request arrived, by the monotonic clock. The time that it has already waited counts.
   */
  readonly cameAt?: number | undefined;
};

export type PollResult = Omit<Poll, "cursor" | "idle" | "passes" | "presence"> & {
  readonly cursor: string;
  readonly nextPollMs: number;
  readonly waitSecondsAdvised: number;
  readonly life: string;
};

/** What a client has processed: the events that a cursor covers, or everything up to an event. */
type Done = { readonly cursor: string } | { readonly sequence: number; readonly pointer: string };
/** The result of a commit. */
type CommitVerdict = {
  readonly committed: string;
  readonly stale: boolean;
  readonly redelivers: "nothing" | "part" | "all";
  readonly redeliversBecause: RedeliveryReason[];
};

/** The errors of a read from a cursor whose next events are no longer kept. */
const PASSED: ReadonlySet<string> = new Set(["retention-passed", "bootstrap-expired"]);

/** Delivers a subscription's events and commits them. Cursors are text outside this module. */
export function pollOperations(parts: Parts) {
  const { clock, streams, log, cursors, subscriptions, leases, waiting } = parts;
  const pace = createPace(clock);

  /** Runs one poll, or several until there is something to deliver. */
  async function pollStream(
    stream: LiveStream,
    name: string,
    { limit, after, consumer, waitSeconds = 0, held, signal, cameAt }: PollRequest,
  ): Promise<PollResult> {
    const from = { limit, after: after === undefined ? undefined : parse(stream, after) };
    const leaseMs = consumer === undefined ? undefined : await loadLeaseMs(stream, name);
    const heardMs = clock.now();
    const { page, waitedOut } = await waitForEvents<Poll>(
      { notifier: log.notifier, clock },
      stream.life,
      {
        waitMs: leftOf(waiting.grantedMs(waitSeconds, { leaseMs, held }), cameAt),
        signal,
        gapMaxMs: leaseMs === undefined ? undefined : leaseMs / 4,
        look: (before) => {
          const request = { ...from, ahead: before?.cursor, before: before?.presence };
          return subscriptions
            .use(stream, name, () =>
              consumer === undefined
                ? poll(parts, stream, name, request)
                : pollShare(parts, stream, name, { ...request, consumer, heardMs }),
            )
            .catch(async (error: unknown) => {
              throw await offerDifference(parts, stream, name, { after: from.after, error });
            });
        },
        // A worker always looks again, because a look also renews its leases.
        hasNewEvents: async ({ cursor }) =>
          consumer !== undefined ||
          log.hasNewEvents(stream.life, cursor.positions, undefined, stream.epochs),
      },
    );
    const { idle: _, passes: __, presence: ___, ...rest } = page;
    const nextPollMs = pace.next(`${stream.life}#${name}#${consumer ?? ""}`, page);
    return {
      ...rest,
      cursor: cursors.format(page.cursor),
      nextPollMs: waitedOut ? 0 : nextPollMs,
      waitSecondsAdvised: waiting.advisedSeconds(leaseMs),
      life: lifeText(stream),
    };
  }

  /** A worker's poll writes, so it needs the stream as it is. */
  const trustedMs = ({ consumer }: PollRequest): number | undefined =>
    consumer === undefined ? IDLE_MEMORY_MS : undefined;

  const parse = (stream: LiveStream, text: string) => inAllEpochs(stream, cursors.parse(text));

  const leftOf = (waitMs: number, cameAt = clock.monotonic()): number =>
    Math.max(0, waitMs - (clock.monotonic() - cameAt));

  async function loadLeaseMs(stream: LiveStream, name: string): Promise<number> {
    const { row } = await subscriptions.recall(stream, name);
    return row.config.leaseSeconds * 1_000;
  }

  async function commitOn(stream: LiveStream, name: string, done: Done) {
    return subscriptions.use(stream, name, async () => {
      const content =
        "cursor" in done
          ? parse(stream, done.cursor)
          : await cursorAfter(parts, stream, name, done);
      return { ...(await commit(parts, stream, name, content)), cursor: content };
    });
  }

  /** Formats the result of a commit for the client. */
  const verdictOf = ({ committed, stale, redelivery }: Committed): CommitVerdict => ({
    committed: cursors.format(committed),
    stale,
    redelivers: redelivery?.part ?? "nothing",
    redeliversBecause: [...(redelivery?.because ?? [])],
  });

  /**
   * Reads on from a cursor that other commits have overtaken. If the events after it are no longer
   * kept, it reads from the committed offset, and the page is not `consistent`.
   */
  async function pollOlder(
    stream: LiveStream,
    name: string,
    request: PollRequest,
  ): Promise<PollResult> {
    try {
      return await pollStream(stream, name, request);
    } catch (error) {
      if (!(error instanceof LedgerError) || !PASSED.has(error.code)) throw error;
      const page = await pollStream(stream, name, { ...request, after: undefined });
      return { ...page, consistent: false };
    }
  }

  return {
    /**
     * Delivers the events after the committed offset, or after `after`, and moves nothing. Waits
     * for events up to `waitSeconds`, unless the signal aborts.
     */
    async poll(
      tenant: Tenant,
      name: string,
      subscription: string,
      request: PollRequest,
    ): Promise<PollResult> {
      const cameAt = clock.monotonic();
      return streams.use(
        tenant,
        name,
        (stream) => pollStream(stream, subscription, { ...request, cameAt }),
        trustedMs(request),
      );
    },

    /**
     * Commits if there is a cursor to commit, then polls. If other commits cover more than the
     * cursor, the poll reads on from the cursor, so that its reader misses no event in between.
     */
    async commitAndPoll(
      tenant: Tenant,
      name: string,
      subscription: string,
      { commit: to, ...request }: PollRequest & Pick<Partial<PollBody>, "commit">,
    ): Promise<PollResult & Partial<CommitVerdict>> {
      if (to === undefined) {
        const poll = (stream: LiveStream) => pollStream(stream, subscription, request);
        return streams.use(tenant, name, poll, trustedMs(request));
      }
      return streams.use(tenant, name, async (stream) => {
        const processed =
          typeof to === "string" ? { cursor: to } : { ...to, pointer: "/commit/sequence" };
        const done = await commitOn(stream, subscription, processed);
        const isOlder = done.isOlder && request.after === undefined;
        const older = { ...request, after: cursors.format(done.cursor) };
        // The commit is done, so its verdict stays even if the poll meets the end of a partition.
        const page = await streams.follow(tenant, stream, (present) =>
          isOlder
            ? pollOlder(present, subscription, older)
            : pollStream(present, subscription, request),
        );
        return { ...page, ...verdictOf(done) };
      });
    },

    /**
     * Moves a subscription's committed offset forward to the position that a polled cursor covers,
     * or, on a stream with one partition, past an event.
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

    /** Ends a worker. Its leases are free at once. */
    async leave(tenant: Tenant, name: string, subscription: string, consumer: string) {
      await streams.use(tenant, name, async (stream) => {
        await leases.leave(stream, subscription, consumer);
        log.notifier.notify(stream.life);
        // A push of the subscription takes over what the worker has not committed.
        await ringChanged(parts, stream, subscription);
      });
    },

    /** The number of polls that wait in this process now. */
    waitingPolls: (): number => log.notifier.size(),

    /**
     * Answers all waiting polls, and lets none wait from now on, because this process is about to
     * end.
     */
    endWaits: (): void => log.notifier.close(),

    /** Returns true once `endWaits` was called. */
    isEnding: (): boolean => log.notifier.isClosed(),

    /** How many seconds of waiting a poll should request here. 0 if waiting is off. */
    waitSecondsAdvised: (): number => waiting.advisedSeconds(),
  };
}
