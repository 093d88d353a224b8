import { ask, type StreamContext, streamPath } from "../context.ts";
import type { LedgerEvent, Page, Receipt } from "../events/event.ts";
import { readEvents, type WireEvent } from "../events/read-events.ts";
import type { Call } from "../http/call.ts";
import { sleep } from "../http/clock.ts";
import { FOREVER, pace, waitSecondsAfter } from "../http/follow.ts";
import { backOffMs } from "../http/retry-plan.ts";
import { createChanges, type ViewChange } from "./changes.ts";
import type { Change, Found, Mark, ViewStore } from "./store.ts";
import type { View, ViewOptions, ViewStatus } from "./view.ts";
import {
  applyPage,
  isChange,
  isListing,
  isPlaceGone,
  joinPages,
  type ListPage,
  type LogPage,
  nextQueries,
  nextRound,
  unlessPassed,
} from "./view-plan.ts";
import { createWaiters, type WaitOptions } from "./waiters.ts";

const FAILED_PAUSE_MS = { baseMs: 1_000, maxMs: 15_000 };
const LOG_LIMIT = 1_000;

/**
 * Keeps the current state of each key in a store. It reads the list of current states first, and
 * then the log from where the list ends. It needs no subscription, so any number of replicas can
 * keep a copy.
 */
export function openView<Row>(
  context: StreamContext,
  {
    store,
    keyPrefix,
    toRow = (event) => event.data as Row,
    onInvalid,
    onStatus,
  }: ViewOptions<Row, ViewStore<Row>, LedgerEvent>,
): View<Row, ViewStore<Row>> {
  const { clock } = context.connection;
  const of = `${context.stream} ${keyPrefix ?? ""}`;
  const changes = createChanges<Row>();
  const waiters = createWaiters(clock);
  let mark: Mark | undefined;
  /** If an answer of the store was lost, the store may hold more than this process knows. */
  let isMarkKnown = false;
  let former: Page<LedgerEvent> | undefined;
  let isCurrent = false;
  let isClosed = false;
  let wantsRound = false;
  let applied = 0;
  let status: ViewStatus = "loading";
  let failure: unknown;
  /** Aborts a poll or a pause that the loop waits for. */
  let hold = new AbortController();
  /** The next page of each part of the list, which are read while the last ones are applied. */
  let ahead: Pages | undefined;
  const shown = (): number => mark?.shown ?? 0;

  /**
   * If there is a cause, the view has failed, or the server could not be reached and the request is
   * repeated.
   */
  const settleStatus = (cause?: unknown, hasFailed = false): void => {
    const isLive = isCurrent && !cause;
    const before = status;
    status = hasFailed ? "failed" : isLive ? "live" : shown() > 0 ? "stale" : "loading";
    failure = cause;
    if (status !== before) onStatus?.(status, cause);
  };

  async function keep(): Promise<void> {
    for (let failures = 0; !isClosed; ) {
      if (hold.signal.aborted) {
        ahead = undefined;
        hold = new AbortController();
      }
      try {
        await step();
        failures = 0;
      } catch (error) {
        if (hold.signal.aborted) continue;
        failures += 1;
        former = undefined;
        isCurrent = false;
        isMarkKnown = false;
        if (isPlaceGone(error)) {
          wantsRound = true;
          if (failures === 1) continue;
        } else {
          settleStatus(error, true);
          for (const waiter of waiters.all()) waiter.reject(error);
        }
        const pauseMs = backOffMs(FAILED_PAUSE_MS, failures);
        await sleep(clock, pauseMs, hold.signal).catch(() => {});
      }
    }
  }

  async function step(): Promise<void> {
    if (!isMarkKnown) mark = await store.load();
    isMarkKnown = true;
    if (mark?.of !== of || wantsRound) {
      // A new round alone changes nothing that readers see.
      await save({ mark: nextRound(of, mark), puts: [], deletes: [], sweep: false });
      wantsRound = false;
      settleStatus();
    } else if (isListing(mark)) {
      await list(mark);
    } else await followLog(mark);
  }

  /**
   * Applies the next pages of the list of current states. If the log no longer reaches back to the
   * copy, it is the list of those that changed. A restart continues the list.
   */
  async function list(before: Mark): Promise<void> {
    former = undefined;
    isCurrent = false;
    const reading = ahead ?? pagesAfter(before);
    ahead = undefined;
    const page = joinPages(await reading);
    const next = page.cursor ? pagesAfter({ ...before, listing: page.cursor }) : undefined;
    // If the pages are needed, their failure is met where they are used.
    next?.catch(() => {});
    if (await apply(before, page)) ahead = next;
    settleStatus();
  }

  /** Reads the first page of a list, or the next page of each of its parts. */
  function pagesAfter(place: Mark): Pages {
    return Promise.all(nextQueries(place).map((query) => pageOf<ListPage>("compacted", query)));
  }

  async function followLog(before: Mark): Promise<void> {
    const urgent = waiters.all();
    const idle = urgent.length === 0 ? former : undefined;
    if (idle) await pace(clock, idle, hold.signal);
    const query = { limit: LOG_LIMIT, from: before.follow ?? undefined };
    const waitSeconds = waitSecondsAfter(context.wait, idle);
    const page = await pageOf<Page<LedgerEvent>>("events", query, waitSeconds).catch(unlessPassed);
    if (page === undefined) return list(before);
    if (!(await apply(before, page))) return;
    former = page;
    isCurrent ||= page.caughtUp;
    settleStatus();
    if (page.caughtUp) for (const waiter of urgent) waiter.resolve();
  }

  async function pageOf<P>(list: string, query: Call["query"], waitSeconds?: number): Promise<P> {
    const page = await ask<P & Listed>(context, {
      method: "GET",
      path: `${streamPath(context.stream)}/${list}`,
      query: { keyPrefix, ...query },
      waitSeconds,
      attempts: FOREVER,
      signal: hold.signal,
      onRetry: settleStatus,
    });
    const { items = page.events } = page;
    return { ...page, events: await readEvents(context.schemas, items, onInvalid) };
  }

  /** Applies a page. Returns false if a new life or another replica has made it void. */
  async function apply(before: Mark, page: ListPage | LogPage): Promise<boolean> {
    const change = applyPage(before, page, toRow);
    if (change === undefined) {
      wantsRound = true;
      isCurrent = false;
      return false;
    }
    if (!isChange(before, change)) return true;
    if (!(await save(change))) return false;
    applied += change.puts.length + change.deletes.length;
    if (change.sweep) changes.emit([{ kind: "reset" }]);
    else if (change.mark.shown === change.mark.round) {
      changes.emit([
        ...change.puts.map((put): ViewChange<Row> => ({ kind: "put", ...put })),
        ...change.deletes.map((key): ViewChange<Row> => ({ kind: "delete", key })),
      ]);
    }
    return true;
  }

  async function save(change: Change<Row>): Promise<boolean> {
    const isSaved = await store.apply(change);
    mark = isSaved ? change.mark : await store.load();
    // The individual changes of another replica are not known.
    if (!isSaved) changes.emit([{ kind: "reset" }]);
    return isSaved;
  }

  const closed = () => new Error("the view is closed");
  const rowOf = (found: Awaitable<Found<Row> | undefined>): Awaitable<Row | undefined> =>
    found && ("then" in found ? found.then(rowOf) : found.row);
  const keeping = keep();

  /** Waits until all that is published so far can be read, unless it already can be. */
  async function untilShown(isShown: boolean, how: WaitOptions = {}): Promise<void> {
    if (isClosed) throw closed();
    if (isShown) return;
    if (status === "failed") throw failure;
    const waiting = waiters.wait(how, () => failure ?? new Error(`the view is still ${status}`));
    // A poll that is already waiting began earlier, so its answer may lack the last events.
    if (isCurrent) hold.abort();
    await waiting;
  }

  const close = async (): Promise<void> => {
    isClosed = true;
    hold.abort();
    await keeping;
    for (const waiter of waiters.all()) waiter.reject(closed());
    changes.end();
  };

  const view: View<Row, ViewStore<Row>> = {
    get status() {
      return status;
    },
    get failure() {
      return failure;
    },
    get progress(): View<Row>["progress"] {
      return {
        round: mark?.round ?? 0,
        phase: isListing(mark) ? "listing" : "following",
        applied,
        lag: former?.lag,
      };
    },
    ready: (how) => untilShown(isCurrent, how),
    get: ((key: string) => rowOf(store.get(key, shown()))) as View<Row, ViewStore<Row>>["get"],
    entries: (() => store.entries(shown())) as View<Row, ViewStore<Row>>["entries"],
    changes: changes.open,
    async seen({ events, life }, how) {
      await untilShown(!isClosed && mark?.life === life && (await areKept(events)), how);
    },
    rebuild() {
      wantsRound = true;
      isCurrent = false;
      hold.abort();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return view;

  async function areKept(events: Receipt["events"]): Promise<boolean> {
    if (shown() !== mark?.round) return false;
    for (const { key, sequence } of events) {
      const found = await store.get(key, shown());
      if (!found || found.sequence < sequence) return false;
    }
    return true;
  }
}

/** Pages of the parts of a list. */
type Pages = Promise<readonly ListPage[]>;

/** The page of a list of states, which calls its events items. */
type Listed = { readonly events: readonly WireEvent[]; readonly items?: readonly WireEvent[] };

type Awaitable<T> = T | Promise<T>;
