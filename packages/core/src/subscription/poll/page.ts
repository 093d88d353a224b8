import type { Lag, SnapshotProgress } from "@eventledger/protocol";
import type { CursorContent } from "../../cursor/cursor.ts";
import { assertListsEnough, withinList } from "../../cursor/listed.ts";
import type { Log } from "../../log/log.ts";
import { resolvePositions } from "../../log/read/browse.ts";
import { assertOfStream } from "../../log/read/foreign-cursor.ts";
import type { StoredEvent } from "../../model/event.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { bucketsRead, COMPACTED_BUCKETS, isPending } from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/streams.ts";
import { matcherOf } from "../filter.ts";
import { assertOwnCursor } from "../position/own-cursor.ts";
import {
  cursorAt,
  freedOf,
  isConsistent,
  isInSnapshot,
  type Standing,
} from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { Snapshots, Subscriptions } from "../subscriptions.ts";
import type { Presence } from "../workers/leases.ts";
import type { Deliveries, Queued } from "./deliveries.ts";
import { known } from "./read-log.ts";

export type PollDeps = {
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  readonly snapshots: Snapshots;
  readonly deliveries: Deliveries;
};

/** What to deliver: what comes after `after`, or after what is committed. */
export type PollRequest = {
  readonly limit: number;
  readonly after?: CursorContent | undefined;
  /** Where an earlier look of the same poll has come; a seek since makes it void. */
  readonly ahead?: CursorContent | undefined;
  /** What an earlier look of the same poll has seen of its worker. */
  readonly before?: Presence | undefined;
};

/** What a poll delivers. `cursor` covers the events of the page, and is what to commit. */
export type Poll = {
  readonly events: readonly StoredEvent[];
  readonly cursor: CursorContent;
  readonly caughtUp: boolean;
  readonly lag: Lag;
  /** Where the events are from: the compacted state, or the log. */
  readonly phase: "bootstrap" | "log";
  /** How far the snapshot is read with this page; absent in the log. */
  readonly snapshot?: SnapshotProgress;
  /** This page completes the snapshot; from the next one on the log follows. */
  readonly snapshotEnd: boolean;
  /** Once this page is applied, what was received folds to the same as the whole log. */
  readonly consistent: boolean;
  /** Nothing to tell: waiting is worth it. */
  readonly idle: boolean;
  /** Of a worker's poll: what it knows of its worker. */
  readonly presence?: Presence;
};

/** One page of the snapshot; the first poll of a bootstrap takes it. */
export async function deliverSnapshot(
  { subscriptions, snapshots }: PollDeps,
  stream: LiveStream,
  state: SubscriptionState,
  at: NonNullable<Standing["bootstrap"]>,
  limit: number,
): Promise<Poll> {
  const { filter } = state.row.config;
  const begun = isPending(at) ? await snapshots.begin(stream) : at;
  const { events, bootstrap, ended } = await snapshots.loadPage(stream, begun, {
    limit,
    prefix: filter?.keyPrefix,
    matches: matcherOf(filter),
  });
  const positions = begun.starts.map(edgeAt);
  return {
    events,
    cursor: cursorAt(stream, state, { positions, bootstrap }, 0),
    caughtUp: false,
    lag: await subscriptions.snapshotLag(stream, positions),
    phase: "bootstrap",
    snapshot: { partsRead: bucketsRead(bootstrap), parts: COMPACTED_BUCKETS },
    snapshotEnd: ended,
    consistent: isConsistent(state, bootstrap, positions),
    idle: false,
  };
}

/**
 * A page of the queue of a parked key. It moves no position but that of the queue, which its cursor
 * carries.
 */
export async function deliverQueue(
  { log }: PollDeps,
  stream: LiveStream,
  state: SubscriptionState,
  at: {
    readonly from: readonly (Position | undefined)[];
    readonly turn: number;
    readonly bootstrap: Standing["bootstrap"];
  },
  { events = [], place }: Queued,
): Promise<Poll> {
  const { from: positions, turn, bootstrap } = at;
  const runs = positions.map((position) => ({
    ...{ position: known(position), atEnd: false, nextPublishedAt: undefined },
  }));
  return {
    events,
    cursor: {
      ...cursorAt(stream, state, { positions, bootstrap }, turn),
      ...(place === undefined ? {} : { queue: place }),
    },
    caughtUp: false,
    lag: await log.lag(stream.life, runs),
    phase: "log",
    snapshotEnd: false,
    consistent: isConsistent(state, bootstrap, positions),
    idle: false,
  };
}

/**
 * Where reading begins after a cursor. One of the stream itself is welcome too: that is how what
 * follows a list of the compacted state, or a publish, is read. A publish says nothing of the state
 * before it, so a subscription that has not read its snapshot receives that first.
 */
export async function standingAfter(
  log: Log,
  stream: LiveStream,
  state: SubscriptionState,
  after: CursorContent,
): Promise<Standing> {
  const { bootstrap, subscription } = after;
  if (subscription !== undefined) {
    await assertOwnCursor(log, stream, state, after);
    return { positions: stillRead(state, after), bootstrap };
  }
  await assertOfStream(log, stream, after);
  if (isInSnapshot(bootstrap)) throw withinList();
  assertListsEnough(after, state.row.config.filter?.keyPrefix);
  const positions = await resolvePositions(log, stream, after);
  return { positions, bootstrap: bootstrap ?? state.bootstrap };
}

/**
 * What a cursor has read that still counts: where a key was freed since, its pages have withheld
 * events that are delivered now, so reading goes on after the committed offset.
 */
export const stillRead = (
  { offsets }: SubscriptionState,
  { positions, freed }: CursorContent,
): readonly (Position | undefined)[] =>
  offsets.map((row, at) => (freedOf(row) === (freed?.[at] ?? 0) ? positions[at] : row));

/**
 * Which partition a page begins with. A page that is full before all had their turn must not begin
 * with the same ones after every commit, so what is committed decides, spread by the golden ratio.
 */
export function turnOf({ partitions }: LiveStream, { offsets }: SubscriptionState): number {
  const committed = offsets.reduce((sum, { next }) => sum + next, 0);
  return Math.floor(((committed * GOLDEN) % 1) * partitions);
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
