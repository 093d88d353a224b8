import type { LiveStream } from "../../stream/streams.ts";
import {
  deliverQueue,
  deliverSnapshot,
  type Poll,
  type PollDeps,
  type PollRequest,
  standingAfter,
  stillRead,
  turnOf,
} from "../poll/page.ts";
import { readLog } from "../poll/read-log.ts";
import { isOwnCursor } from "../position/own-cursor.ts";
import {
  cursorAt,
  isConsistent,
  isInSnapshot,
  progressOf,
  type Standing,
  standingOf,
} from "../position/progress.ts";
import type { Leases, Share } from "./leases.ts";

/** Which worker asks, and since when: it counts as alive from then on. */
type ShareRequest = PollRequest & { readonly consumer: string; readonly heardMs: number };

/**
 * A poll of one worker of several: gets it its share, holds that, and delivers what is there. The
 * cursor carries the tokens of the leases; `lag` and `caughtUp` speak of the share, `consistent` of
 * all that is committed and this page. A worker whose share is empty has nothing to tell.
 */
export async function pollShare(
  deps: PollDeps & { readonly leases: Leases },
  stream: LiveStream,
  name: string,
  { consumer, heardMs, limit, before, ...request }: ShareRequest,
): Promise<Poll> {
  const { leases, log, deliveries } = deps;
  const share = await leases.hold(stream, name, consumer, { heardMs, before });
  const { state, tokens, presence } = share;
  const among = new Set(tokens.flatMap((token, at) => (token === undefined ? [] : [at])));
  if (among.size === 0) return emptyShare(stream, share);
  const { start, turn } = await startOfShare(deps, stream, share, request);
  if (isInSnapshot(start.bootstrap)) {
    const page = await deliverSnapshot(deps, stream, state, start.bootstrap, limit);
    return { ...page, presence, cursor: { ...page.cursor, tokens } };
  }
  const whose = { state, among, tokens };
  const queued = await deliveries.takeQueued(stream, whose, { limit, read: request.after?.queue });
  if (request.after === undefined && queued.empty.length > 0) {
    await deliveries.free(stream, whose, queued.empty);
    return pollShare(deps, stream, name, {
      consumer,
      heardMs,
      limit,
      before: presence,
      ...request,
    });
  }
  if (queued.events !== undefined) {
    const { positions: from, bootstrap } = start;
    const page = await deliverQueue(deps, stream, state, { from, turn, bootstrap }, queued);
    const positions = isInSnapshot(state.bootstrap) ? page.cursor.positions : own(from);
    return { ...page, presence, cursor: { ...page.cursor, positions, tokens } };
  }
  const counts = request.after === undefined;
  if (counts && (await deliveries.parkPoison(stream, whose))) {
    return pollShare(deps, stream, name, {
      consumer,
      heardMs,
      limit,
      before: presence,
      ...request,
    });
  }
  const of = { limit: counts ? deliveries.limitOf(whose, limit) : limit, turn, among };
  const { events, page } = await readLog(log, stream, state, start.positions, of);
  if (counts) await deliveries.note(stream, whose, { page, events, limit: of.limit });
  const positions = page.runs.map(({ position }) => position);
  const cursor = cursorAt(stream, state, { positions, bootstrap: start.bootstrap }, page.turn);
  const runs = page.runs.map((run, at) => (among.has(at) ? run : { ...run, atEnd: true }));
  const caughtUp = runs.every(({ atEnd }) => atEnd);
  const idle = caughtUp && events.length === 0;
  const withheld = idle ? deliveries.withholding(whose, page, queued.empty) : [];
  if (withheld.length > 0) {
    await deliveries.free(stream, whose, withheld);
    return pollShare(deps, stream, name, {
      consumer,
      heardMs,
      limit,
      before: presence,
      ...request,
    });
  }
  return {
    events,
    // The end of a snapshot is committed for all partitions at once.
    cursor: {
      ...cursor,
      positions: isInSnapshot(state.bootstrap) ? positions : own(positions),
      tokens,
      ...(queued.place === undefined ? {} : { queue: queued.place }),
    },
    caughtUp,
    lag: await log.lag(stream.life, runs),
    phase: "log",
    snapshotEnd: false,
    consistent: isConsistent(state, start.bootstrap, positions),
    idle,
    presence,
  };

  function own<T>(all: readonly T[]): (T | undefined)[] {
    return all.map((each, at) => (among.has(at) ? each : undefined));
  }
}

/** For a worker that waits for its turn. The cursor covers nothing, so it cannot be caught up. */
function emptyShare(stream: LiveStream, { state, tokens, presence }: Share): Poll {
  const { positions, bootstrap } = standingOf(state);
  const snapshot = progressOf(bootstrap);
  const covered = { positions: tokens.map(() => undefined), bootstrap: undefined };
  return {
    events: [],
    cursor: { ...cursorAt(stream, state, covered, 0), tokens },
    caughtUp: false,
    lag: { events: 0, seconds: 0 },
    phase: snapshot === undefined ? "log" : "bootstrap",
    ...(snapshot === undefined ? {} : { snapshot }),
    snapshotEnd: false,
    consistent: isConsistent(state, bootstrap, positions),
    // The poll of one that has left is over.
    idle: !presence.hasLeft,
    presence,
  };
}

/**
 * Where a worker reads on: after its cursor as far as that was made under the leases that it holds
 * now, otherwise after the committed offset. What it once read of a partition that went to another
 * and came back counts for nothing.
 */
async function startOfShare(
  { log }: PollDeps,
  stream: LiveStream,
  { state, tokens }: Share,
  { after, ahead }: Pick<PollRequest, "after" | "ahead">,
): Promise<{ start: Standing; turn: number }> {
  const committed = standingOf(state);
  const asked = after === undefined ? undefined : await standingAfter(log, stream, state, after);
  const look =
    ahead !== undefined && isOwnCursor(stream, state, ahead)
      ? { ...ahead, positions: stillRead(state, ahead) }
      : undefined;
  const cursor = look ?? after;
  const from = look ?? asked;
  const holds = (at: number) =>
    tokens[at] !== undefined && (cursor?.tokens === undefined || cursor.tokens[at] === tokens[at]);
  if (cursor === undefined || from === undefined || !tokens.some((_, at) => holds(at))) {
    return { start: committed, turn: turnOf(stream, state) };
  }
  const { turn } = cursor;
  if (isInSnapshot(committed.bootstrap) || isInSnapshot(from.bootstrap)) {
    return { start: { positions: from.positions, bootstrap: from.bootstrap }, turn };
  }
  const positions = committed.positions.map((at, partition) =>
    holds(partition) ? (from.positions[partition] ?? at) : at,
  );
  return { start: { positions, bootstrap: committed.bootstrap }, turn };
}
