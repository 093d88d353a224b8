import { type BrowseQuery, type Lag, LIMITS, type Tier } from "@eventledger/protocol";
import type { CursorContent } from "../cursor/cursor.ts";
import { invalidRequest } from "../kernel/error.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import {
  type BrowseResult,
  browse,
  type From,
  resolvePositions,
  timesOf,
} from "../log/read/browse.ts";
import type { Bound } from "../log/read/read-plan.ts";
import { chainIn, chainsOf, chainsOfKey, endOfChain, epochWith } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import { edgeAt } from "../model/position.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { createPace } from "../subscription/poll/pace.ts";
import { waitForEvents } from "../subscription/poll/wait.ts";
import type { Parts } from "./parts.ts";
import type { Located } from "./places.ts";

/** A page of a stream for a reader without a subscription. */
export type EventsPage = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly looked: number;
  /** Only in pages that go forward. */
  readonly lag?: Lag;
  readonly nextPollMs?: number;
  readonly waitSecondsAdvised: number;
  readonly life: string;
  readonly tier: Tier;
};

type Query = Partial<BrowseQuery> &
  Pick<BrowseQuery, "limit"> & {
    /** True on a connection that stays open whether this read waits or not. */
    readonly held?: boolean;
  };

type Page = Pick<EventsPage, "events" | "caughtUp" | "looked" | "tier"> & {
  readonly cursor: CursorContent;
};

/** Reads streams without a subscription. */
export function browseOperations({ clock, streams, log, cursors, places, waiting }: Parts) {
  const pace = createPace(clock);

  /**
   * Reads forward from a place, backward from it, or one event. With `waitSeconds` an empty page at
   * the end waits for events, unless the signal aborts.
   */
  async function browseStream(
    tenant: Tenant,
    name: string,
    query: Query,
    signal?: AbortSignal,
  ): Promise<EventsPage> {
    assertTogether(query);
    const begun: Begun = { cameAt: clock.monotonic() };
    return streams.use(tenant, name, async (stream) => {
      const life = lifeText(stream);
      const advised = { waitSecondsAdvised: waiting.advisedSeconds(), life };
      if (query.sequence !== undefined || query.last !== undefined || query.order === "desc") {
        const page = await readOnce(stream, query);
        return { ...page, cursor: cursors.format(page.cursor), ...advised };
      }
      const { page, waitedOut } = await readOn(stream, query, { signal, begun });
      const place = page.from.positions.map((at) => at?.next ?? "").join();
      const idle = page.events.length === 0 && page.caughtUp;
      const nextPollMs = pace.next(`${stream.life}#${place}`, { idle, caughtUp: page.caughtUp });
      return {
        events: page.events,
        cursor: cursors.format({ life, ...page.from }),
        caughtUp: page.caughtUp,
        looked: page.looked,
        tier: page.tier,
        lag: await log.lag(stream.life, page.runs, stream.epochs),
        nextPollMs: waitedOut ? 0 : nextPollMs,
        ...advised,
      };
    });
  }

  /** Reads one page forward, or several until there is something to return. */
  async function readOn(
    stream: LiveStream,
    { from = "earliest", until, limit, waitSeconds = 0, held, ...filter }: Query,
    { signal, begun }: { readonly signal: AbortSignal | undefined; readonly begun: Begun },
  ): Promise<{ page: BrowseResult & { idle: boolean }; waitedOut: boolean }> {
    const among = partitionsOf(stream, filter.key);
    const bound = until === undefined ? undefined : await locateBound(stream, until, among);
    const known = begun.life === stream.life ? begun.start : undefined;
    const start = known ?? (await locateFrom(stream, from, among));
    begun.life = stream.life;
    begun.start = start;
    const request = { limit, matches: matcherOf(filter), among, bound };
    return waitForEvents({ notifier: log.notifier, clock }, stream.life, {
      waitMs: Math.max(
        0,
        waiting.grantedMs(waitSeconds, { held }) - (clock.monotonic() - begun.cameAt),
      ),
      signal,
      look: async (before) => {
        const page = await browse(log, stream, { ...request, from: before?.from ?? start });
        const isOver = page.ended || isOverBy(bound, clock.now());
        return { ...page, idle: page.events.length === 0 && page.caughtUp && !isOver };
      },
      hasNewEvents: ({ from: at }) =>
        log.hasNewEvents(stream.life, at.positions, among, stream.epochs),
    });
  }

  /** Answers a query without waiting: one event, the last events, or those before a place. */
  async function readOnce(stream: LiveStream, query: Query): Promise<Page> {
    if (query.sequence !== undefined) return readOne(stream, query.sequence, query);
    const { last, limit, ...filter } = query;
    const among = partitionsOf(stream, query.key);
    // With `last`, the read starts at the end that `until` names, and goes back.
    const [place, pointer] =
      last === undefined ? [query.from, FROM] : [query.until, "/query/until"];
    const from = await locateFrom(stream, place ?? "latest", among, pointer);
    const until = last === undefined ? query.until : undefined;
    const bound = until === undefined ? undefined : await locateBound(stream, until, among);
    const known = await resolvePositions(log, stream, from, among);
    const back = await log.readBack(stream.life, known, {
      limit: last ?? limit,
      matches: matcherOf(filter),
      among,
      bound,
      epochs: stream.epochs,
      lookedMax: LIMITS.filterEventsMax,
    });
    const { caughtUp, looked, tier } = back;
    const at = { life: lifeText(stream), nextPartition: 0, ...timesOf(from) };
    if (last === undefined) {
      const cursor = { ...at, positions: back.positions };
      return { events: back.events, cursor, caughtUp, looked, tier };
    }
    const events = back.events.toReversed();
    return { events, cursor: { ...at, positions: known }, caughtUp: true, looked, tier };
  }

  async function readOne(stream: LiveStream, sequence: number, query: Query): Promise<Page> {
    const { key } = query;
    const epoch = epochWith(stream, sequence);
    if (key === undefined && epoch.partitions > 1) {
      throw invalidRequest("/query/key", "is required, because this stream has several partitions");
    }
    const partition = key === undefined ? epoch.first : chainIn(key, epoch);
    const address = { partition, sequence, matches: matcherOf(query) };
    const { event, after, tier } = await log.loadEvent(stream.life, address);
    const positions = chainsOf(stream).map((at) => {
      if (at === partition) return after;
      const end = at < epoch.first ? endOfChain(stream, at) : undefined;
      return end === undefined ? undefined : edgeAt(end);
    });
    const at = { life: lifeText(stream), nextPartition: 0 };
    const cursor = { ...at, positions, since: event.publishedAt };
    return { events: [event], cursor, caughtUp: true, looked: 1, tier };
  }

  async function locateFrom(
    stream: LiveStream,
    text: string,
    among: ReadonlySet<number> | undefined,
    pointer = FROM,
  ): Promise<From> {
    const place = await places.ofQuery(stream, text, { pointer });
    return toFrom(stream, place, among);
  }

  async function toFrom(
    stream: LiveStream,
    place: Located,
    among: ReadonlySet<number> | undefined,
  ): Promise<From> {
    if (typeof place === "object" && "cursor" in place) return place.cursor;
    const isTime = typeof place === "object" && "timeMs" in place;
    if (among === undefined || !(place === "earliest" || isTime)) {
      return { positions: await log.seek(stream, place), nextPartition: 0 };
    }
    // A partition that is not read needs no look-up, so the cursor keeps the time instead.
    const positions = await Promise.all(
      chainsOf(stream).map((at) =>
        among.has(at)
          ? log.seekPartition(stream.life, at, place, endOfChain(stream, at))
          : undefined,
      ),
    );
    const since = isTime ? { since: place.timeMs } : {};
    const keptSince = Math.max(clock.now() - keptMsOf(stream), since.since ?? 0);
    return { positions, ...since, keptSince, nextPartition: 0 };
  }

  /** A time ends the read by the time of each event. Every other place is looked up. */
  async function locateBound(
    stream: LiveStream,
    text: string,
    among: ReadonlySet<number> | undefined,
  ): Promise<Bound> {
    const place = await places.ofQuery(stream, text, { pointer: "/query/until", ahead: true });
    if (typeof place === "object" && "timeMs" in place) return place;
    const at = await toFrom(stream, place, undefined);
    const positions = await resolvePositions(log, stream, at, among);
    return { nexts: positions.map((position) => position?.next ?? 1) };
  }

  return { browse: browseStream };
}

/**
 * Where a read began, and when. If the stream turns to other partitions in the meantime, the read
 * continues from there, and does not wait any longer.
 */
type Begun = { readonly cameAt: number; life?: LiveStream["life"]; start?: From };

const FROM = "/query/from";

/** Returns how long a stream keeps each event at least. */
const keptMsOf = ({ retentionHours, archiveKeptDays = 0 }: LiveStream): number =>
  Math.max(retentionHours * HOUR_MS, archiveKeptDays * DAY_MS);

/** A key is in one partition of each epoch, so no other partition is read. */
const partitionsOf = (
  stream: LiveStream,
  key: string | undefined,
): ReadonlySet<number> | undefined =>
  key === undefined ? undefined : new Set(chainsOfKey(stream, key));

/** Returns whether every event published from now on is past the bound. */
const isOverBy = (bound: Bound | undefined, nowMs: number): boolean =>
  bound !== undefined && "timeMs" in bound && bound.timeMs <= nowMs;

function matcherOf({ type, key, keyPrefix }: Omit<Query, "limit">) {
  if (type === undefined && key === undefined && keyPrefix === undefined) return undefined;
  return (event: StoredEvent): boolean =>
    (type === undefined || event.type === type) &&
    (key === undefined || event.key === key) &&
    (keyPrefix === undefined || event.key.startsWith(keyPrefix));
}

/** Refuses parameters that exclude each other, instead of silently ignoring one. */
function assertTogether({ from, until, order, last, sequence, waitSeconds }: Query): void {
  const given = { from, until, order, last, waitSeconds };
  const refuse = (names: readonly (keyof typeof given)[], because: string): void => {
    const wrong = names.find((name) => given[name] !== undefined);
    if (wrong !== undefined)
      throw invalidRequest(`/query/${wrong}`, `must not be sent together with ${because}`);
  };
  if (sequence !== undefined) {
    refuse(["from", "until", "order", "last", "waitSeconds"], "sequence, which names one event");
  }
  if (last !== undefined)
    refuse(["from", "order", "waitSeconds"], "last, which reads up to the end");
  if (order === "desc")
    refuse(["waitSeconds"], "order=desc, because no new events come before a place");
}
