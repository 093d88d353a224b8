import type { Lag } from "@eventledger/protocol";
import { type CursorContent, invalidCursor } from "../../cursor/cursor.ts";
import { assertListsEnough, sinceWithinSnapshot, withinList } from "../../cursor/listed.ts";
import { LedgerError } from "../../kernel/error.ts";
import { again, retry } from "../../kernel/retry.ts";
import type { Log, SeekPoint } from "../../log/log.ts";
import { resolvePositions } from "../../log/read/browse.ts";
import { assertOfStream } from "../../log/read/foreign-cursor.ts";
import { nextCount } from "../../model/restored.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { SubscriptionState } from "../state.ts";
import type { Snapshots, Subscriptions } from "../subscriptions.ts";
import {
  cursorAt,
  isInSnapshot,
  offsetsOf,
  type Progress,
  pendingProgress,
  pendingSince,
  progressOf,
} from "./progress.ts";
import { shownBy } from "./shown-by.ts";

type Deps = {
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  readonly snapshots: Snapshots;
};

/**
 * The target of a seek: a place in the log, a new snapshot, the position after a cursor, or the
 * states that changed since a cursor.
 */
export type SeekTarget =
  | SeekPoint
  | "bootstrap"
  | { readonly cursor: CursorContent }
  | { readonly since: CursorContent };

/** The progress of a subscription after a seek. */
export type SeekResult = {
  readonly committed: CursorContent;
  readonly phase: "bootstrap" | "log";
  readonly lag: Lag;
};

const TRIES = 5;

/**
 * Moves a subscription back or forward on purpose, all partitions at once. It begins a new
 * generation, so commits of earlier cursors are refused. Throws `not-compacted`, `invalid-cursor`
 * for an unrelated cursor, and `outcome-unknown` when other requests keep seeking at the same
 * moment. A dry run refuses the same targets, and moves nothing: the answer has the phase and the
 * lag after a seek, and the committed cursor as it is.
 */
export async function seek(
  deps: Deps,
  stream: LiveStream,
  name: string,
  target: SeekTarget,
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): Promise<SeekResult> {
  const { subscriptions } = deps;
  return retry<SeekResult>({ tries: TRIES, giveUp: movedByOthers }, async () => {
    const before = await subscriptions.load(stream, name);
    const to = await progressAtTarget(deps, stream, before, target);
    const generation = nextCount(stream, before.generation);
    const state = isDryRun
      ? { ...before, offsets: offsetsOf(to, generation), bootstrap: to.bootstrap }
      : await subscriptions.replace(stream, before, { to, generation });
    if (state === undefined) return again();
    const at = isDryRun ? before : state;
    return {
      committed: cursorAt(stream, at, progressOf(at), 0),
      phase: isInSnapshot(state.bootstrap) ? "bootstrap" : "log",
      lag: await subscriptions.lag(stream, state),
    };
  });
}

function movedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Concurrent requests kept moving this subscription. Send the seek again.",
    retryAfterSeconds: 1,
  });
}

/**
 * Returns the progress after everything that a cursor of the stream covers. Throws `invalid-cursor`
 * for a cursor of a different stream.
 */
export async function progressAfter(
  log: Log,
  stream: LiveStream,
  cursor: CursorContent,
): Promise<Progress> {
  await assertOfStream(log, stream, cursor);
  const [positions, bootstrap] = await Promise.all([
    resolvePositions(log, stream, cursor),
    shownBy(log, stream, cursor),
  ]);
  return { positions, bootstrap };
}

/** Returns the start of a new subscription that starts at a cursor of the stream itself. */
export async function progressAtCursor(
  log: Log,
  stream: LiveStream,
  cursor: CursorContent,
  keyPrefix: string | undefined,
): Promise<Progress> {
  await assertOfStream(log, stream, cursor);
  if (cursor.subscription !== undefined) throw invalidCursor("other-subscription");
  if (isInSnapshot(cursor.bootstrap)) throw withinList();
  assertListsEnough(cursor, keyPrefix);
  return progressAfter(log, stream, cursor);
}

/**
 * Returns the progress before a snapshot of what changed since a cursor of the stream itself, or of
 * the subscription. Throws `changes-passed`, `not-compacted` and `invalid-cursor`.
 */
export async function progressSince(
  { log, snapshots }: Pick<Deps, "log" | "snapshots">,
  stream: LiveStream,
  cursor: CursorContent,
  {
    state,
    keyPrefix,
  }: { readonly state?: SubscriptionState; readonly keyPrefix?: string | undefined },
): Promise<Progress> {
  snapshots.assertPossible(stream);
  await assertOfStream(log, stream, cursor);
  const { subscription } = cursor;
  if (subscription !== undefined && subscription.uid !== state?.row.uid) {
    throw invalidCursor("other-subscription");
  }
  if (isInSnapshot(cursor.bootstrap)) throw sinceWithinSnapshot();
  assertListsEnough(cursor, keyPrefix);
  const positions = state === undefined ? cursor.positions : filledUp(state, cursor);
  const since = await snapshots.positionsSince(stream, { ...cursor, positions });
  await snapshots.assertReachesBack(stream, since);
  return pendingSince(stream, since);
}

async function progressAtTarget(
  { log, snapshots }: Deps,
  stream: LiveStream,
  state: SubscriptionState,
  target: SeekTarget,
): Promise<Progress> {
  if (typeof target === "object" && "since" in target) {
    const { filter } = state.row.config;
    const of = { state, keyPrefix: filter?.keyPrefix };
    return progressSince({ log, snapshots }, stream, target.since, of);
  }
  if (target === "bootstrap") {
    snapshots.assertPossible(stream);
    return pendingProgress(stream);
  }
  if (typeof target === "string" || !("cursor" in target)) {
    return { positions: await log.seek(stream, target), bootstrap: undefined };
  }
  const { positions, bootstrap, subscription } = target.cursor;
  await assertOfStream(log, stream, target.cursor);
  if (subscription !== undefined && subscription.uid !== state.row.uid) {
    throw invalidCursor("other-subscription");
  }
  assertListsEnough(target.cursor, state.row.config.filter?.keyPrefix);
  if (!isInSnapshot(bootstrap)) {
    return progressAfter(log, stream, {
      ...target.cursor,
      positions: filledUp(state, target.cursor),
    });
  }
  return { positions, bootstrap };
}

/** A worker's cursor has no position outside its share. The subscription stays in place there. */
function filledUp(
  state: SubscriptionState,
  { subscription, positions }: CursorContent,
): CursorContent["positions"] {
  if (subscription === undefined || !positions.includes(undefined)) return positions;
  const committed = progressOf(state).positions;
  const filled = positions.map((at, partition) => at ?? committed[partition]);
  if (filled.includes(undefined)) {
    throw invalidCursor(
      "other-query",
      "The cursor belongs to a worker without a share, and the snapshot is not read yet.",
    );
  }
  return filled;
}
