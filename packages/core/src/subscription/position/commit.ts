import type { Lag } from "@eventledger/protocol";
import { type CursorContent, invalidCursor } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import { chainCount } from "../../model/epochs.ts";
import { isPending } from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { Redelivery, SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { assertOwnCursor, isOwnCursor } from "./own-cursor.ts";
import { cursorAt, isInSnapshot, type Progress, progressOf } from "./progress.ts";

/** The committed offset of a subscription after a commit. */
export type Committed = {
  readonly committed: CursorContent;
  /** True when the commit changed nothing: the offset was already as far, or the cursor is void. */
  readonly stale: boolean;
  readonly redelivery: Redelivery | undefined;
  /**
   * True when other workers have committed more than the cursor covers. Its worker has not received
   * those events.
   */
  readonly isOlder: boolean;
  readonly state: SubscriptionState;
  readonly progress: Progress;
};

/**
 * Moves the committed offset to the position that a polled cursor covers. An older cursor changes
 * nothing. Neither does a cursor of a snapshot other than the current one. Committing the same
 * cursor twice is harmless. Throws `invalid-cursor` for an unrelated cursor, `lease-lost` and
 * `subscription-not-found`.
 */
export async function commit(
  { subscriptions, log }: { subscriptions: Subscriptions; log: Log },
  stream: LiveStream,
  name: string,
  cursor: CursorContent,
): Promise<Committed> {
  const known = await subscriptions.recall(stream, name);
  const ahead = isOwnCursor(stream, known, cursor) && isAhead(cursor, known);
  const before = ahead ? known : await subscriptions.load(stream, name);
  await assertOwnCursor(log, stream, before, cursor);
  if (!ahead) subscriptions.assertHeld(before, cursor);
  const { generation } = before;
  const { moved, state, redelivery } = await subscriptions.commit(stream, before, cursor);
  if (state.offsets.some((row) => row.generation !== generation)) {
    throw invalidCursor("seeked");
  }
  const progress = progressOf(state);
  return {
    committed: cursorAt(stream, state, progress, cursor.nextPartition),
    stale: !moved,
    redelivery,
    isOlder: redelivery === undefined && isOlder(cursor, progress),
    state,
    progress,
  };
}

/**
 * Returns the lag after a commit. Inside a snapshot, this is the lag at its start, because a new
 * measurement would cost each page a batch read.
 */
export function lagAfterCommit(
  { subscriptions }: { subscriptions: Subscriptions },
  stream: LiveStream,
  { state, progress: { positions, bootstrap } }: Committed,
): Promise<Lag> {
  const known = positions.filter((position) => position !== undefined);
  return isInSnapshot(bootstrap) && known.length === chainCount(stream)
    ? subscriptions.snapshotLag(stream, known)
    : subscriptions.lag(stream, state);
}

/**
 * Returns whether a cursor covers less than the committed progress, in the log or in a snapshot.
 */
function isOlder(
  { positions, bootstrap }: CursorContent,
  { positions: committed, bootstrap: present }: Progress,
): boolean {
  if (isInSnapshot(bootstrap)) {
    if (isPending(bootstrap)) return false;
    return !isInSnapshot(present) || bootstrap.scan < present.scan;
  }
  return positions.some(
    (at, partition) => at !== undefined && at.next < nextOf(committed, partition),
  );
}

const nextOf = (positions: Progress["positions"], partition: number): number =>
  positions[partition]?.next ?? 0;

/** Decides only plain progress in the log. Any other case needs a second read. */
const isAhead = (
  { positions, bootstrap }: CursorContent,
  { offsets, ...state }: SubscriptionState,
): boolean =>
  bootstrap === undefined &&
  state.bootstrap === undefined &&
  offsets.some(({ next, partition }) => (positions[partition]?.next ?? 0) > next);
