import { LedgerError } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { isOutOfReach } from "../../log/read/reach.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { chainsUpTo, isHeldBack, lastToRead } from "../parking/carry.ts";
import { isOwnCursor } from "../position/own-cursor.ts";
import { isInSnapshot } from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { Snapshots, Subscriptions } from "../subscriptions.ts";
import type { Deliveries } from "./deliveries.ts";
import { emptyPage, logPage, type Poll, snapshotPage } from "./page.ts";
import { endOf, isUnchanged, type PollRequest, type View, type ViewSource } from "./poll-plan.ts";
import type { Queued } from "./queue-deliveries.ts";
import { known, readLog } from "./read-log.ts";
import { type Start, startOf } from "./start.ts";

export type PollDeps = {
  readonly streams: { confirm(view: LiveStream): Promise<void> };
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  readonly snapshots: Snapshots;
  readonly deliveries: Deliveries;
};

/**
 * Reads the events after the committed offset, or after `after`. Never moves the offset. For an
 * idle subscription, it uses the remembered position and one read of the log. As soon as there are
 * events to deliver, it reads the committed offset again. Throws `retention-passed` and
 * `bootstrap-expired` when the subscription must bootstrap again.
 */
export const poll = (
  deps: PollDeps,
  stream: LiveStream,
  name: string,
  request: PollRequest,
): Promise<Poll> => {
  return pollView(deps, stream, request, {
    checksPages: true,
    first: async () => ({ state: await recallFor(deps, stream, name, request) }),
    renew: async ({ state }) => ({ state: await renewed(deps, stream, state) }),
  });
};

/**
 * Looks until a page can be answered. It looks again after each change that the look itself has
 * made or found. A bootstrapping subscription first receives a snapshot of the compacted state. The
 * poll also frees keys that have no more waiting events.
 */
export async function pollView(
  deps: PollDeps,
  stream: LiveStream,
  request: PollRequest,
  source: ViewSource,
): Promise<Poll> {
  let view: View = await source.first();
  for (let isFresh = !source.checksPages; ; isFresh = true) {
    const found = await look(deps, { stream, request, source, view, isFresh });
    if (found.page !== undefined) return found.page;
    view = found.view ?? (await source.renew(view));
  }
}

/** One look of a poll. `isFresh` is false for a remembered view. */
type Look = {
  readonly stream: LiveStream;
  readonly request: PollRequest;
  readonly source: ViewSource;
  readonly view: View;
  readonly isFresh: boolean;
};

/** A page, or the view for the next look: a known one, or one that is still to be read. */
type Found = { readonly page?: Poll; readonly view?: View };

const AGAIN: Found = {};

/**
 * Decides where the page comes from: nowhere, the snapshot, a queue of a parked key, or the log.
 */
async function look(deps: PollDeps, of: Look): Promise<Found> {
  const { log, deliveries } = deps;
  const { stream, request, view } = of;
  const { after, limit, together } = request;
  if (view.among?.size === 0) return { page: emptyPage(stream, view) };
  const isInLog = !isInSnapshot(view.state.bootstrap);
  if (isInLog && (await deliveries.carry(stream, view))) return AGAIN;
  if (isInLog && isHeldBack(stream, view.state)) {
    // The page reads no chain, so only the row tells whether the stream has ended.
    await deps.streams.confirm(stream);
    return { page: emptyPage(stream, view) };
  }
  const start = await startOf(log, stream, view, request);
  if (isInSnapshot(start.bootstrap)) {
    return { page: await snapshotPage(deps, stream, view, { at: start.bootstrap, limit }) };
  }
  const queued = await deliveries.takeQueued(stream, view, { limit, together, read: after?.queue });
  if (countsDelivery(request) && queued.empty.length > 0) {
    await deliveries.free(stream, view, queued.empty);
    return AGAIN;
  }
  if (queued.events === undefined) return lookInLog(deps, of, start, queued);
  const runs = start.positions.map((position) => ({
    position: known(position),
    atEnd: false,
    nextPublishedAt: undefined,
  }));
  const { events, place: queue, places: queues } = queued;
  const batches = together ? (queued.batches ?? []) : undefined;
  const { nextPartition } = start;
  const read = { start, events, batches, runs, nextPartition, caughtUp: false, queue, queues };
  return { page: await logPage(log, stream, view, read) };
}

/**
 * Whether a page of this request counts as a delivery: only if it begins at the committed offset. A
 * reader that is ahead of the offset must not free keys, because that would invalidate its own
 * pages.
 */
const countsDelivery = ({ after }: PollRequest): boolean => after === undefined;

async function lookInLog(
  deps: PollDeps,
  { stream, request, source, view, isFresh }: Look,
  start: Start,
  { place: queue, empty }: Queued,
): Promise<Found> {
  const { log, deliveries } = deps;
  const counts = countsDelivery(request);
  const limit = counts ? deliveries.limitOf(view, request.limit) : request.limit;
  const range = rangeOf(stream, start, view, limit);
  const read = await readLog(log, stream, view.state, range).catch(expired);
  if (read instanceof LedgerError) {
    // The remembered state may be older than a seek past the lost events.
    if (isFresh) throw read;
    return AGAIN;
  }
  const { events, page } = read;
  let current = view;
  if (read.looked && source.checksPages) {
    current = await source.renew(view);
    if (!isUnchanged(current.state, view.state, counts)) return { view: current };
  }
  if (read.looked && counts && (await deliveries.parkPoison(stream, current))) return AGAIN;
  const { runs, caughtUp } = endOf(stream, view, page);
  // A reader ahead of the committed offset keeps its pages for as long as they bring events.
  const isFreeing = counts || (caughtUp && events.length === 0);
  const withheld = isFreeing ? deliveries.withholding(current, page, empty) : [];
  if (withheld.length > 0) {
    await deliveries.free(stream, current, withheld);
    return AGAIN;
  }
  if (counts) await deliveries.note(stream, current, { page, events });
  const { nextPartition } = page;
  const batches = request.together ? read.batches : undefined;
  const end = { start, events, batches, runs, nextPartition, caughtUp, queue };
  return { page: await logPage(log, stream, current, end) };
}

/**
 * What to read: `limit` events after the start, of the view's partitions, as far as parked keys
 * allow.
 */
function rangeOf(
  stream: LiveStream,
  { positions, nextPartition }: Start,
  { among, state }: View,
  limit: number,
) {
  const range = { positions, nextPartition, limit };
  if (among !== undefined) return { ...range, among };
  const last = lastToRead(stream, state);
  return last === undefined ? range : { ...range, among: chainsUpTo(stream, last) };
}

/**
 * Returns the remembered subscription, or the current one if the remembered state cannot suffice.
 */
async function recallFor(
  deps: PollDeps,
  stream: LiveStream,
  name: string,
  { after }: PollRequest,
): Promise<SubscriptionState> {
  const { subscriptions } = deps;
  const isOwn = after?.subscription !== undefined;
  let state = await subscriptions.recallIdle(stream, name);
  if (isOwn && !isOwnCursor(stream, state, after)) state = await subscriptions.load(stream, name);
  const isRetried = state.offsets.some(({ parking }) => parking?.keys.some((key) => key.retrying));
  const isRead = isInSnapshot(isOwn ? after.bootstrap : state.bootstrap);
  return isRetried || isRead ? renewed(deps, stream, state) : state;
}

/** Returns the current subscription of a stream that is as it was a few seconds ago at most. */
async function renewed(
  { streams, subscriptions }: PollDeps,
  stream: LiveStream,
  state: SubscriptionState,
): Promise<SubscriptionState> {
  await streams.confirm(stream);
  return subscriptions.refresh(stream, state);
}

/** Returns the error for a position that the log no longer reaches back to. */
function expired(error: unknown): LedgerError {
  if (isOutOfReach(error)) return error;
  throw error;
}
