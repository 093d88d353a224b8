import type { CursorContent } from "../cursor/cursor.ts";
import { isExact } from "../kernel/bootstrap.ts";
import type { Position } from "../kernel/position.ts";
import type { LiveStream } from "../stream/streams.ts";
import {
  deliverSnapshot,
  type Poll,
  type PollDeps,
  type PollRequest,
  readLog,
  standingAfter,
  turnOf,
} from "./deliver.ts";
import { isOwnCursor } from "./own-cursor.ts";
import { cursorAt, isInSnapshot, type Standing, standingOf } from "./standing.ts";
import type { SubscriptionState } from "./subscriptions.ts";

/**
 * Reads on from what is committed, or from behind `after`. Never moves the position. An idle
 * subscription is answered from what this process knows of its position and one look at the log; as
 * soon as there is something to deliver, the committed position is read again. A subscription that
 * bootstraps receives a snapshot of the compacted state first.
 * Throws `retention-passed` and `bootstrap-expired` when it has to bootstrap anew.
 */
export async function poll(
  deps: PollDeps,
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
    const start =
      after === undefined
        ? standingNow(stream, state, request.ahead)
        : await standingAfter(log, stream, state, after);
    if (isInSnapshot(start.bootstrap)) {
      return deliverSnapshot(deps, stream, state, start.bootstrap, limit);
    }
    // A worker's cursor says nothing of what is not its own.
    const from = start.positions.map((at, partition) => at ?? committedAt(state, partition));
    const turn = after?.turn ?? turnOf(stream, state);
    const { events, page, looked } = await readLog(log, stream, state, from, { limit, turn });
    if (looked) {
      const fresh = await subscriptions.refresh(stream, state);
      const moved = after === undefined && !samePositions(fresh.offsets, state.offsets);
      const same = fresh.generation === state.generation && !moved;
      state = fresh;
      if (!same) continue;
    }
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

/** What is committed, or where an earlier look has come if nobody has moved the position past it. */
function standingNow(
  stream: LiveStream,
  state: SubscriptionState,
  look: CursorContent | undefined,
): Standing {
  const counts =
    look !== undefined &&
    isOwnCursor(stream, state, look) &&
    state.offsets.every(({ next, partition }) => (look.positions[partition]?.next ?? 0) >= next);
  return counts ? { positions: look.positions, bootstrap: look.bootstrap } : standingOf(state);
}

/** Undefined while a snapshot is read: then nothing of the log is committed. */
const committedAt = ({ offsets, bootstrap }: SubscriptionState, partition: number) =>
  isInSnapshot(bootstrap) ? undefined : offsets[partition];

const samePositions = (a: readonly Position[], b: readonly Position[]): boolean =>
  a.every(({ next }, index) => next === b[index]?.next);
