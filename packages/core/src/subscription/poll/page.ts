import type { Lag, SnapshotProgress } from "@eventledger/protocol";
import type { CursorContent, QueuePlace } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import type { PartitionRun } from "../../log/read/read-run.ts";
import type { StoredEvent } from "../../model/event.ts";
import { withLaterStarts } from "../../model/later-starts.ts";
import {
  type Bootstrap,
  isPending,
  partsOf,
  positionsAfter,
} from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
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
import { covered, type View } from "./poll-plan.ts";
import type { Start } from "./start.ts";

/** The answer to a poll. `cursor` covers the events of the page. Clients commit it. */
export type Poll = {
  readonly events: readonly StoredEvent[];
  /**
   * The first sequence of the batch of each event, in their order, if the request may get several
   * queues. Absent in a snapshot.
   */
  readonly batches?: readonly number[];
  readonly cursor: CursorContent;
  /** The ends of a page in the queues of several keys, which its cursor does not name. */
  readonly queues?: readonly QueuePlace[];
  readonly caughtUp: boolean;
  readonly lag: Lag;
  /** The source of the events: the compacted state or the log. */
  readonly phase: "bootstrap" | "log";
  /** The progress in the snapshot after this page. Absent in the log. */
  readonly snapshot?: SnapshotProgress;
  /** True on the page that completes the snapshot. The log follows from the next page on. */
  readonly snapshotEnd: boolean;
  /** True when, after this page, the received events produce the same state as the whole log. */
  readonly consistent: boolean;
  /** True when the page has nothing to deliver, so that the poll may wait. */
  readonly idle: boolean;
  /** True when the page has passed events that it leaves out, so that a commit would move. */
  readonly passes: boolean;
  /** The presence of the worker, in a worker's poll. */
  readonly presence?: Presence;
};

/** The content of a page, where it began, and the positions after it. */
type Read = {
  readonly start: Start;
  readonly events: readonly StoredEvent[];
  readonly batches?: readonly number[] | undefined;
  readonly runs: readonly PartitionRun[];
  readonly nextPartition: number;
  readonly caughtUp: boolean;
  /** The place in the queue of a parked key where the page ends. */
  readonly queue: QueuePlace | undefined;
  /** The places in several queues where the page ends. */
  readonly queues?: readonly QueuePlace[] | undefined;
};

/**
 * Returns a page of the log, or of the queue of a parked key. The latter moves only the position in
 * the queue.
 */
export async function logPage(
  log: Log,
  stream: LiveStream,
  view: View,
  { start, events, batches, runs, nextPartition, caughtUp, queue, queues }: Read,
): Promise<Poll> {
  const { state } = view;
  const { bootstrap } = start;
  const positions = runs.map(({ position }) => position);
  const cursor = cursorAt(stream, state, { positions, bootstrap }, nextPartition);
  const isDone = caughtUp || isDoneInEpoch(view, runs);
  return {
    events,
    ...(batches === undefined ? {} : { batches }),
    ...(queues === undefined ? {} : { queues }),
    cursor: {
      ...cursor,
      // The end of a snapshot is committed for all partitions at once, so the cursor covers all of
      // them.
      positions: isInSnapshot(state.bootstrap) ? positions : covered(view, positions),
      ...(queue === undefined ? {} : { queue }),
      ...tokensOf(view),
    },
    caughtUp,
    lag: await log.lag(stream.life, runs, stream.epochs),
    phase: "log",
    snapshotEnd: false,
    consistent: isConsistent(state, bootstrap, positions),
    idle: isDone && events.length === 0,
    passes: positions.some(({ next }, at) => next > (state.offsets[at]?.next ?? 0)),
    ...presenceOf(view),
  };
}

/** Returns whether a worker has committed its share, and waits for the others to end the epoch. */
const isDoneInEpoch = ({ among, state }: View, runs: readonly PartitionRun[]): boolean =>
  among !== undefined &&
  runs.every(({ atEnd }) => atEnd) &&
  [...among].every((at) => runs[at]?.position.next === state.offsets[at]?.next);

/** Returns a page of the snapshot. The first poll of a bootstrap starts the snapshot. */
export async function snapshotPage(
  { subscriptions, snapshots }: { subscriptions: Subscriptions; snapshots: Snapshots },
  stream: LiveStream,
  view: View,
  { at, limit }: { readonly at: Bootstrap; readonly limit: number },
): Promise<Poll> {
  const { state } = view;
  const { filter } = state.row.config;
  const begun = isPending(at) ? await snapshots.begin(stream, at) : withLaterStarts(stream, at);
  const { events, bootstrap, ended } = await snapshots.loadPage(stream, begun, {
    limit,
    prefix: filter?.keyPrefix,
    matches: matcherOf(filter),
  });
  const positions = positionsAfter(begun);
  return {
    events,
    cursor: { ...cursorAt(stream, state, { positions, bootstrap }, 0), ...tokensOf(view) },
    caughtUp: false,
    lag: await subscriptions.snapshotLag(stream, positions),
    phase: "bootstrap",
    snapshot: partsOf(bootstrap),
    snapshotEnd: ended,
    consistent: isConsistent(state, bootstrap, positions),
    idle: false,
    passes: false,
    ...presenceOf(view),
  };
}

/**
 * The page of a worker that waits for a share. Its cursor covers nothing, so the worker is not
 * caught up.
 */
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
    // The poll of a worker that has left ends without waiting.
    idle: presence?.hasLeft !== true,
    passes: false,
    ...presenceOf(view),
  };
}

const tokensOf = ({ tokens }: View): Pick<CursorContent, "tokens"> =>
  tokens === undefined ? {} : { tokens };

const presenceOf = ({ presence }: View): { presence?: Presence } =>
  presence === undefined ? {} : { presence };
