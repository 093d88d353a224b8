import { type Lag, LIMITS } from "@eventledger/protocol";
import { type CursorContent, invalidCursor } from "../cursor/cursor.ts";
import { isExact, isPending, isScanned } from "../kernel/bootstrap.ts";
import { LedgerError } from "../kernel/error.ts";
import { edgeAt, type Position } from "../kernel/position.ts";
import { keepMatching, resolvePositions } from "../log/browse.ts";
import type { StoredEvent } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import type { LogPage } from "../log/read.ts";
import type { LiveStream } from "../stream/streams.ts";
import { matcherOf } from "./filter.ts";
import { cursorAt, isInSnapshot, type Standing, standingOf } from "./standing.ts";
import type { Snapshots, SubscriptionState, Subscriptions } from "./subscriptions.ts";

type Deps = {
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  readonly snapshots: Snapshots;
};

/** What to deliver: what comes after `after`, or after what is committed. */
type PollRequest = {
  readonly limit: number;
  readonly after?: CursorContent | undefined;
  /** Where an earlier look of the same poll has come; a seek since makes it void. */
  readonly ahead?: CursorContent | undefined;
};

/** What a poll delivers. `cursor` covers the events of the page, and is what to commit. */
export type Poll = {
  readonly events: readonly StoredEvent[];
  readonly cursor: CursorContent;
  readonly caughtUp: boolean;
  readonly lag: Lag;
  /** Where the events are from: the compacted state, or the log. */
  readonly phase: "bootstrap" | "log";
  /** This page completes the snapshot; from the next one on the log follows. */
  readonly snapshotEnd: boolean;
  /** Once this page is applied, what was received folds to the same as the whole log. */
  readonly consistent: boolean;
  /** Nothing to tell: waiting for news is worth it. */
  readonly idle: boolean;
};

/**
 * Reads on from what is committed, or from behind `after`. Never moves the position. An idle
 * subscription is answered from what this process knows of its position and one look at the log; as
 * soon as there is something to deliver, the committed position is read again. A subscription that
 * bootstraps receives a snapshot of the compacted state first.
 * Throws `retention-passed` and `bootstrap-expired` when it has to bootstrap anew.
 */
export async function poll(
  deps: Deps,
  stream: LiveStream,
  name: string,
  request: PollRequest,
): Promise<Poll> {
  const { limit, after } = request;
  const { subscriptions, log } = deps;
  let state = await subscriptions.recall(stream, name);
  if (after?.subscription !== undefined && !isOwnCursor(stream, state, after)) {
    state = await subscriptions.load(stream, name);
  }
  if (isInSnapshot(after === undefined ? state.bootstrap : after.bootstrap)) {
    state = await subscriptions.refresh(stream, state);
  }
  for (;;) {
    const start = await startOf(log, stream, state, request);
    if (isInSnapshot(start.bootstrap)) {
      return pollSnapshot(deps, stream, state, start.bootstrap, limit);
    }
    const matches = matcherOf(state.row.config.filter);
    const room = {
      events: matches === undefined ? limit : LIMITS.filterEventsMax,
      bytes: LIMITS.pageBytesMax,
    };
    const whole = await readOrOffer(stream, () =>
      log.read(stream.life, start.positions.map(known), {
        room,
        turn: after?.turn ?? turnOf(stream, state),
      }),
    );
    if (whole.entries.length > 0) {
      const fresh = await subscriptions.refresh(stream, state);
      const moved = after === undefined && !samePositions(fresh.offsets, state.offsets);
      const same = fresh.generation === state.generation && !moved;
      state = fresh;
      if (!same) continue;
    }
    const { events, page } = keepMatching(whole, { limit, matches });
    const positions = page.runs.map(({ position }) => position);
    const caughtUp = page.runs.every(({ atEnd }) => atEnd);
    return {
      events,
      cursor: cursorAt(stream, state, { positions, bootstrap: start.bootstrap }, page.turn),
      caughtUp,
      lag: await log.lag(stream.life, page.runs),
      phase: "log",
      snapshotEnd: false,
      consistent: isExact(start.bootstrap, positions),
      idle: caughtUp && events.length === 0,
    };
  }
}

/** One page of the snapshot; the first poll of a bootstrap takes it. */
async function pollSnapshot(
  { subscriptions, snapshots }: Deps,
  stream: LiveStream,
  state: SubscriptionState,
  known: NonNullable<Standing["bootstrap"]>,
  limit: number,
): Promise<Poll> {
  const begun = isPending(known) ? await snapshots.begin(stream) : known;
  const { events, bootstrap, ended } = await snapshots.loadPage(stream, begun, {
    limit,
    prefix: state.row.config.filter?.keyPrefix,
    matches: matcherOf(state.row.config.filter),
  });
  const positions = begun.starts.map(edgeAt);
  return {
    events,
    cursor: cursorAt(stream, state, { positions, bootstrap }, 0),
    caughtUp: false,
    lag: await subscriptions.snapshotLag(stream, positions),
    phase: "bootstrap",
    snapshotEnd: ended,
    consistent: isExact(bootstrap, positions),
    idle: false,
  };
}

/**
 * Where reading begins. A cursor of the stream itself is welcome too: that is how what follows a list
 * of the compacted state, or a publish, is read.
 */
async function startOf(
  log: Log,
  stream: LiveStream,
  state: SubscriptionState,
  { after, ahead }: PollRequest,
): Promise<Standing> {
  if (after === undefined) {
    return ahead !== undefined && isAhead(stream, state, ahead)
      ? { positions: ahead.positions, bootstrap: ahead.bootstrap }
      : standingOf(state);
  }
  const { bootstrap, subscription } = after;
  if (subscription !== undefined) {
    assertOwnCursor(stream, state, after);
    return { positions: after.positions, bootstrap };
  }
  if (after.streamUid !== stream.uid || after.positions.length > stream.partitions) {
    throw invalidCursor("The cursor belongs to another stream, or to a former life of this one.");
  }
  const scanned = bootstrap !== undefined && isScanned(bootstrap) ? bootstrap : undefined;
  return { positions: await resolvePositions(log, stream, after), bootstrap: scanned };
}

/** Says how to go on when the log no longer reaches back to the position. */
async function readOrOffer(
  { compaction }: LiveStream,
  read: () => Promise<LogPage>,
): Promise<LogPage> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== "retention-passed") throw error;
    const { detail, facts } = error;
    const seek = compaction === "key" ? "bootstrap" : "earliest";
    throw new LedgerError("retention-passed", { detail, facts: { ...facts, seek }, cause: error });
  }
}

/** Whether an earlier look of the same poll still counts: nobody has moved the position past it. */
const isAhead = (stream: LiveStream, state: SubscriptionState, look: CursorContent): boolean =>
  isOwnCursor(stream, state, look) &&
  state.offsets.every(({ next, partition }) => (look.positions[partition]?.next ?? 0) >= next);

/**
 * Which partition a page begins with. A page that is full before all had their turn must not begin
 * with the same ones after every commit, so what is committed decides, spread by the golden ratio.
 */
function turnOf({ partitions }: LiveStream, { offsets }: SubscriptionState): number {
  const committed = offsets.reduce((sum, { next }) => sum + next, 0);
  return Math.floor(((committed * GOLDEN) % 1) * partitions);
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

function known(position: Position | undefined): Position {
  if (position === undefined) throw invalidCursor();
  return position;
}

/** Whether a cursor was made for this life, this subscription and its present generation. */
export const isOwnCursor = (
  stream: LiveStream,
  state: SubscriptionState,
  { streamUid, subscription, positions }: CursorContent,
): boolean =>
  streamUid === stream.uid &&
  subscription?.uid === state.row.uid &&
  subscription.generation === state.generation &&
  positions.length === stream.partitions;

/** Refuses a cursor of another life, another subscription, or from before a seek. */
export function assertOwnCursor(
  stream: LiveStream,
  state: SubscriptionState,
  cursor: CursorContent,
): void {
  if (isOwnCursor(stream, state, cursor)) return;
  const sought = cursor.subscription?.uid === state.row.uid && cursor.streamUid === stream.uid;
  throw invalidCursor(
    sought
      ? "The subscription was moved by a seek since the cursor was made. Poll again."
      : "The cursor belongs to another stream or subscription.",
  );
}

const samePositions = (a: readonly Position[], b: readonly Position[]): boolean =>
  a.every(({ next }, index) => next === b[index]?.next);
