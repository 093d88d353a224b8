import { ask, type StreamContext, streamPath } from "../context.ts";
import type { Lag, LedgerEvent, Page, Receipt } from "../events/event.ts";
import { type OnInvalid, readEvents, usable, type WireEvent } from "../events/read-events.ts";
import { sleep } from "../http/clock.ts";
import { FOREVER, waitSecondsAfter } from "../http/follow.ts";
import { backOffMs } from "../http/retry-plan.ts";
import { createChanges, type ViewChange } from "./changes.ts";
import type { Change, Found, Mark, ViewStore } from "./store.ts";
import {
  applyList,
  applyLog,
  isChange,
  isPlaceGone,
  type ListPage,
  nextRound,
} from "./view-plan.ts";
import { createWaiters, type WaitOptions } from "./waiters.ts";

export type ViewOptions<Row, Store, Event> = {
  readonly store: Store & ViewStore<Row>;
  /** Copies only keys with this prefix. */
  readonly keyPrefix?: string | undefined;
  /**
   * What the copy stores of an event. The default is its data. A key whose value is undefined is
   * left out.
   */
  readonly toRow?: ((event: Event) => Row | undefined) | undefined;
  /** What happens to an event that its schema refuses. The default is `throw`. */
  readonly onInvalid?: OnInvalid | undefined;
  readonly onStatus?: ((status: ViewStatus, cause: unknown) => void) | undefined;
};

/**
 * `loading`: nothing can be read yet. `live`: the view follows the stream. `stale`: the view shows
 * an earlier state, because the server is away or the copy is being built again. `failed`: the view
 * cannot follow until something is changed, such as the key; it keeps trying.
 */
export type ViewStatus = "loading" | "live" | "stale" | "failed";

export type View<Row, Store = ViewStore<Row>> = {
  readonly status: ViewStatus;
  /** Why the view has failed, or why the server cannot be reached. */
  readonly failure: unknown;
  readonly progress: {
    readonly round: number;
    readonly phase: "listing" | "following";
    /** Events and states that this process has applied. */
    readonly applied: number;
    readonly lag: Lag | undefined;
  };
  /** Resolves once everything that was published before the view was opened can be read. */
  ready(options?: WaitOptions): Promise<void>;
  get(key: string): IsAsync<Store> extends true ? Promise<Row | undefined> : Row | undefined;
  entries(): IsAsync<Store> extends true ? AsyncIterable<[string, Row]> : Iterable<[string, Row]>;
  /** The changes from now on. */
  changes(): AsyncIterableIterator<ViewChange<Row>>;
  /** Resolves once the events of this receipt can be read here. */
  seen(receipt: Receipt, options?: WaitOptions): Promise<void>;
  /** Builds the copy again. Readers see the current one meanwhile. */
  rebuild(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

type IsAsync<Store> = Store extends { get(...given: never): infer Answer }
  ? Promise<never> extends Answer
    ? true
    : Answer extends Promise<unknown>
      ? true
      : false
  : false;

const FAILED_PAUSE_MS = { attempts: 0, baseMs: 1_000, maxMs: 15_000 };
const LIST_LIMIT = 500;
const LOG_LIMIT = 1_000;

/**
 * Keeps the current state of each key in a store. It reads the list of current states first, and
 * then the log from where the list ends. It needs no subscription, so any number of replicas can
 * keep a copy.
 */
export function openView<Row>(
  context: StreamContext,
  options: ViewOptions<Row, ViewStore<Row>, LedgerEvent>,
): View<Row, ViewStore<Row>> {
  const { store, keyPrefix, onStatus, onInvalid = "throw" } = options;
  const toRow = options.toRow ?? ((event: LedgerEvent) => event.data as Row);
  const { clock } = context.connection;
  const path = streamPath(context.stream);
  const of = `${context.stream} ${keyPrefix ?? ""}`;
  const changes = createChanges<Row>();
  const starting = createWaiters(clock);
  const seeing = createWaiters(clock);
  let mark: Mark | undefined;
  /**
   * The store may hold more than this process knows, because an answer of the store may have been
   * lost.
   */
  let isMarkKnown = false;
  let former: Page<WireEvent> | undefined;
  let isCurrent = false;
  let isClosed = false;
  let wantsRound = false;
  let applied = 0;
  let status: ViewStatus = "loading";
  let failure: unknown;
  /** Aborts what the loop waits for: a poll or a pause. */
  let hold = new AbortController();

  const setStatus = (next: ViewStatus, cause: unknown): void => {
    const isNew = next !== status;
    status = next;
    failure = cause;
    if (isNew) onStatus?.(next, cause);
  };
  const settleStatus = (): void => {
    const isShown = mark !== undefined && mark.shown > 0;
    const isLive = isCurrent && mark?.shown === mark?.round;
    setStatus(isShown ? (isLive ? "live" : "stale") : "loading", undefined);
    if (isCurrent && mark?.ready) starting.resolve();
  };
  const onRetry = (cause: Error): void =>
    setStatus(mark !== undefined && mark.shown > 0 ? "stale" : "loading", cause);

  async function keep(): Promise<void> {
    for (let failures = 0; !isClosed; ) {
      hold = new AbortController();
      try {
        await step();
        failures = 0;
      } catch (error) {
        if (isClosed || hold.signal.aborted) continue;
        failures += 1;
        former = undefined;
        isCurrent = false;
        isMarkKnown = false;
        if (isPlaceGone(error)) {
          wantsRound = true;
          if (failures === 1) continue;
        } else {
          setStatus("failed", error);
          starting.reject(error);
          seeing.reject(error);
        }
        const pauseMs = backOffMs(FAILED_PAUSE_MS, failures, Math.random());
        await sleep(clock, pauseMs, hold.signal).catch(() => {});
      }
    }
  }

  async function step(): Promise<void> {
    if (!isMarkKnown) mark = await store.load();
    isMarkKnown = true;
    if (mark === undefined || mark.of !== of || wantsRound) {
      // A new round changes nothing that readers see.
      await save({ mark: nextRound(of, mark), puts: [], deletes: [], sweep: false });
      wantsRound = false;
      settleStatus();
    } else if (mark.follow === null || mark.listing !== null) await list(mark);
    else await followLog(mark, mark.follow);
  }

  async function list(before: Mark): Promise<void> {
    const page: Omit<ListPage, "items"> & { items: WireEvent[] } = await ask(context, {
      method: "GET",
      path: `${path}/compacted`,
      query: { keyPrefix, limit: LIST_LIMIT, cursor: before.listing ?? undefined },
      attempts: FOREVER,
      signal: hold.signal,
      onRetry,
    });
    const items = usable(await readEvents(context.schemas, page.items), onInvalid);
    await settle(applyList(before, { ...page, items }, toRow));
    settleStatus();
  }

  async function followLog(before: Mark, from: string): Promise<void> {
    const urgent = seeing.snapshot();
    const isIdle = former?.caughtUp === true && urgent.length === 0;
    if (isIdle && former?.nextPollMs) await sleep(clock, former.nextPollMs, hold.signal);
    const waitSeconds = isIdle ? waitSecondsAfter(context.wait, former) : undefined;
    const page: Page<WireEvent> = await ask(context, {
      method: "GET",
      path: `${path}/events`,
      query: { keyPrefix, from, limit: LOG_LIMIT },
      attempts: FOREVER,
      signal: hold.signal,
      waitSeconds,
      onRetry,
    });
    const events = usable(await readEvents(context.schemas, page.events), onInvalid);
    const isApplied = await settle(applyLog(before, { ...page, events }, toRow));
    if (!isApplied) return;
    former = page;
    isCurrent ||= page.caughtUp;
    settleStatus();
    if (page.caughtUp) for (const waiter of urgent) waiter.resolve();
  }

  /** Applies a page. Returns false if a new life or another replica has made it void. */
  async function settle(change: Change<Row> | undefined): Promise<boolean> {
    if (change === undefined) {
      wantsRound = true;
      isCurrent = false;
      return false;
    }
    const before = mark;
    if (before !== undefined && !isChange(before, change)) return true;
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
    // The changes of another replica are not known one by one.
    if (!isSaved) changes.emit([{ kind: "reset" }]);
    return isSaved;
  }

  const closed = () => new Error("the view is closed");
  const late = () => failure ?? new Error(`the view is ${status} and not current in time`);
  const rowOf = (found: Found<Row> | undefined): Row | undefined => found?.row;
  const shown = (): number => mark?.shown ?? 0;
  const keeping = keep();

  const close = async (): Promise<void> => {
    isClosed = true;
    hold.abort(closed());
    await keeping;
    starting.reject(closed());
    seeing.reject(closed());
    changes.end();
  };

  const view: View<Row, ViewStore<Row>> = {
    get status() {
      return status;
    },
    get failure() {
      return failure;
    },
    get progress() {
      const isListing = mark === undefined || mark.follow === null || mark.listing !== null;
      const phase: "listing" | "following" = isListing ? "listing" : "following";
      return { round: mark?.round ?? 0, phase, applied, lag: former?.lag };
    },
    async ready(how = {}) {
      if (isClosed) throw closed();
      if (isCurrent && mark?.ready) return;
      if (status === "failed") throw failure;
      await starting.wait(how, late);
    },
    get: ((key: string) => {
      const found = store.get(key, shown());
      return isPromise(found) ? found.then(rowOf) : rowOf(found);
    }) as View<Row, ViewStore<Row>>["get"],
    entries: (() => store.entries(shown())) as View<Row, ViewStore<Row>>["entries"],
    changes: changes.open,
    async seen({ events, life }, how = {}) {
      if (isClosed) throw closed();
      if (mark?.life === life && (await areKept(events))) return;
      if (status === "failed") throw failure;
      const waiting = seeing.wait(how, late);
      // A poll that is already waiting began earlier, so its answer may lack these events.
      hold.abort(closed());
      await waiting;
    },
    rebuild() {
      wantsRound = true;
      isCurrent = false;
      hold.abort(closed());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return view;

  async function areKept(events: Receipt["events"]): Promise<boolean> {
    if (mark?.shown !== mark?.round) return false;
    const last = new Map(events.map(({ key, sequence }) => [key, sequence]));
    for (const [key, sequence] of last) {
      const found = await store.get(key, shown());
      if (found === undefined || found.sequence < sequence) return false;
    }
    return true;
  }
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === "object" && value !== null && "then" in value;
