import type { CursorContent } from "../../cursor/cursor.ts";
import { LedgerError } from "../../kernel/error.ts";
import { isOutOfReach } from "../../log/read/read.ts";
import type { LiveStream } from "../../stream/streams.ts";
import { isOwnCursor } from "../position/own-cursor.ts";
import {
  cursorAt,
  isConsistent,
  isInSnapshot,
  type Standing,
  standingOf,
} from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import { isSameNote } from "./delivery-count-plan.ts";
import {
  deliverQueue,
  deliverSnapshot,
  type Poll,
  type PollDeps,
  type PollRequest,
  standingAfter,
  stillRead,
  turnOf,
} from "./page.ts";
import { readLog } from "./read-log.ts";

/**
 * Reads on from the committed offset, or after `after`. Never moves the offset. An idle
 * subscription is answered from what this process knows of its position and one look at the log; as
 * soon as there is something to deliver, the committed position is read again. A subscription that
 * bootstraps receives a snapshot of the compacted state first. A key of which nothing waits any
 * more is freed on the way. Throws `retention-passed` and `bootstrap-expired` when it has to
 * bootstrap again.
 */
export async function poll(
  deps: PollDeps,
  stream: LiveStream,
  name: string,
  request: PollRequest,
): Promise<Poll> {
  const { after } = request;
  const { subscriptions, log, deliveries } = deps;
  let state = await subscriptions.recall(stream, name);
  if (after?.subscription !== undefined && !isOwnCursor(stream, state, after)) {
    state = await subscriptions.load(stream, name);
  }
  const isRetried = state.offsets.some(({ parking }) => parking?.keys.some((key) => key.retrying));
  const isOwn = after?.subscription !== undefined;
  if (isRetried || isInSnapshot(isOwn ? after.bootstrap : state.bootstrap)) {
    state = await subscriptions.refresh(stream, state);
  }
  for (let isFresh = false; ; ) {
    const start =
      after === undefined
        ? standingNow(stream, state, request.ahead)
        : await standingAfter(log, stream, state, after);
    if (isInSnapshot(start.bootstrap)) {
      return deliverSnapshot(deps, stream, state, start.bootstrap, request.limit);
    }
    // A worker's cursor says nothing of what is not its own.
    const from = start.positions.map((at, partition) => at ?? committedAt(state, partition));
    const turn = after?.turn ?? turnOf(stream, state);
    const queued = await deliveries.takeQueued(
      stream,
      { state },
      { limit: request.limit, read: after?.queue },
    );
    // A client that reads ahead has pages that freeing a key would void.
    if (after === undefined && queued.empty.length > 0) {
      await deliveries.free(stream, { state }, queued.empty);
      state = await subscriptions.refresh(stream, state);
      continue;
    }
    if (queued.events !== undefined) {
      return deliverQueue(deps, stream, state, { from, turn, bootstrap: start.bootstrap }, queued);
    }
    // Only what begins at what is committed counts as a delivery of it.
    const counts = after === undefined;
    const limit = counts ? deliveries.limitOf({ state }, request.limit) : request.limit;
    const read = await readLog(log, stream, state, from, { limit, turn }).catch(expired);
    if (read instanceof LedgerError) {
      // What was remembered may be from before a seek past what is lost.
      if (isFresh) throw read;
      isFresh = true;
      state = await subscriptions.refresh(stream, state);
      continue;
    }
    const { events, page, looked } = read;
    if (looked) {
      isFresh = true;
      const fresh = await subscriptions.refresh(stream, state);
      const same = isUnchanged(fresh, state, counts);
      state = fresh;
      if (!same) continue;
      if (counts && (await deliveries.parkPoison(stream, { state }))) {
        state = await subscriptions.refresh(stream, state);
        continue;
      }
      if (counts) await deliveries.note(stream, { state }, { page, events, limit });
    }
    const positions = page.runs.map(({ position }) => position);
    const caughtUp = page.runs.every(({ atEnd }) => atEnd);
    const idle = caughtUp && events.length === 0;
    const withheld = idle ? deliveries.withholding({ state }, page, queued.empty) : [];
    if (withheld.length > 0) {
      await deliveries.free(stream, { state }, withheld);
      state = await subscriptions.refresh(stream, state);
      continue;
    }
    return {
      events,
      cursor: {
        ...cursorAt(stream, state, { positions, bootstrap: start.bootstrap }, page.turn),
        ...(queued.place === undefined ? {} : { queue: queued.place }),
      },
      caughtUp,
      lag: await log.lag(stream.life, page.runs),
      phase: "log",
      snapshotEnd: false,
      consistent: isConsistent(state, start.bootstrap, positions),
      idle,
    };
  }
}

/** Lets through that the log no longer reaches back to a position. */
function expired(error: unknown): LedgerError {
  if (isOutOfReach(error)) return error;
  throw error;
}

/**
 * The committed offset, or the place that an earlier look has reached if no commit has moved past
 * it.
 */
function standingNow(
  stream: LiveStream,
  state: SubscriptionState,
  look: CursorContent | undefined,
): Standing {
  if (look === undefined || !isOwnCursor(stream, state, look)) return standingOf(state);
  const positions = stillRead(state, look);
  const counts = state.offsets.every(({ next }, at) => (positions[at]?.next ?? 0) >= next);
  return counts ? { positions, bootstrap: look.bootstrap } : standingOf(state);
}

/** Undefined while a snapshot is read: then nothing of the log is committed. */
const committedAt = ({ offsets, bootstrap }: SubscriptionState, partition: number) =>
  isInSnapshot(bootstrap) ? undefined : offsets[partition];

/** Whether a page that was read by what was remembered may be delivered by what is known now. */
function isUnchanged(
  fresh: SubscriptionState,
  { generation, offsets }: SubscriptionState,
  counts: boolean,
): boolean {
  return (
    fresh.generation === generation &&
    fresh.offsets.every(({ next, parking, delivery }, at) => {
      const before = offsets[at];
      const moved = counts && next !== before?.next;
      const noted = counts && !isSameNote(delivery, before?.delivery);
      return !moved && !noted && parking?.revision === before?.parking?.revision;
    })
  );
}
