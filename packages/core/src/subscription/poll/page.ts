import type { Lag, SnapshotProgress } from "@eventledger/protocol";
import type { CursorContent, QueuePlace } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import type { PartitionRun } from "../../log/read/read.ts";
import type { StoredEvent } from "../../model/event.ts";
import { edgeAt } from "../../model/position.ts";
import {
  type Bootstrap,
  bucketsRead,
  COMPACTED_BUCKETS,
  isPending,
} from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/streams.ts";
import { matcherOf } from "../filter.ts";
import {
  cursorAt,
  isConsistent,
  isInSnapshot,
  progressOf,
  snapshotProgressOf,
} from "../position/progress.ts";
import type { Snapshots, Subscriptions } from "../subscriptions.ts";
import type { Presence } from "../workers/leases.ts";
import type { Start } from "./start.ts";
import { covered, type View } from "./view.ts";

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

/** What a page holds, and how far it reads. */
type Read = {
  readonly events: readonly StoredEvent[];
  readonly runs: readonly PartitionRun[];
  readonly turn: number;
  readonly caughtUp: boolean;
  /** Where in the queue of a parked key it ends. */
  readonly queue: QueuePlace | undefined;
};

/** A page of the log, or of the queue of a parked key: that moves no position but the queue's. */
export async function logPage(
  log: Log,
  stream: LiveStream,
  view: View,
  start: Start,
  { events, runs, turn, caughtUp, queue }: Read,
): Promise<Poll> {
  const { state } = view;
  const { bootstrap } = start;
  const positions = runs.map(({ position }) => position);
  const cursor = cursorAt(stream, state, { positions, bootstrap }, turn);
  return {
    events,
    cursor: {
      ...cursor,
      // The end of a snapshot is committed for all partitions at once.
      positions: isInSnapshot(state.bootstrap) ? positions : covered(view, positions),
      ...(queue === undefined ? {} : { queue }),
      ...tokensOf(view),
    },
    caughtUp,
    lag: await log.lag(stream.life, runs),
    phase: "log",
    snapshotEnd: false,
    consistent: isConsistent(state, bootstrap, positions),
    idle: caughtUp && events.length === 0,
    ...presenceOf(view),
  };
}

/** A page of the snapshot; the first poll of a bootstrap takes it. */
export async function snapshotPage(
  { subscriptions, snapshots }: { subscriptions: Subscriptions; snapshots: Snapshots },
  stream: LiveStream,
  view: View,
  at: Bootstrap,
  limit: number,
): Promise<Poll> {
  const { state } = view;
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
    cursor: { ...cursorAt(stream, state, { positions, bootstrap }, 0), ...tokensOf(view) },
    caughtUp: false,
    lag: await subscriptions.snapshotLag(stream, positions),
    phase: "bootstrap",
    snapshot: { partsRead: bucketsRead(bootstrap), parts: COMPACTED_BUCKETS },
    snapshotEnd: ended,
    consistent: isConsistent(state, bootstrap, positions),
    idle: false,
    ...presenceOf(view),
  };
}

/** For a worker that waits for its turn. The cursor covers nothing, so it cannot be caught up. */
export function emptyPage(stream: LiveStream, view: View): Poll {
  const { state, presence } = view;
  const { positions, bootstrap } = progressOf(state);
  const snapshot = snapshotProgressOf(bootstrap);
  const nothing = { positions: positions.map(() => undefined), bootstrap: undefined };
  return {
    events: [],
    cursor: { ...cursorAt(stream, state, nothing, 0), ...tokensOf(view) },
    caughtUp: false,
    lag: { events: 0, seconds: 0 },
    phase: snapshot === undefined ? "log" : "bootstrap",
    ...(snapshot === undefined ? {} : { snapshot }),
    snapshotEnd: false,
    consistent: isConsistent(state, bootstrap, positions),
    // The poll of one that has left is over.
    idle: presence?.hasLeft !== true,
    ...presenceOf(view),
  };
}

const tokensOf = ({ tokens }: View): Pick<CursorContent, "tokens"> =>
  tokens === undefined ? {} : { tokens };

const presenceOf = ({ presence }: View): { presence?: Presence } =>
  presence === undefined ? {} : { presence };
