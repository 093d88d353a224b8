import { type Signal, signal } from "@preact/signals";
import type { Event, EventPage } from "../api.ts";
import { headerMatcher } from "../headers.ts";
import { type Following, follow } from "./follow.ts";
import { type LogQuery, placeOf } from "./query.ts";

/** Requests a page of events of one stream. */
export type Browse = (
  query: Readonly<Record<string, string | number | undefined>>,
  signal: AbortSignal,
) => Promise<EventPage>;

/**
 * The approximate number of events that one search reads. Then a person decides whether it
 * continues.
 */
const LOOKED_MAX = 10_000;
/** Scrolling to the end reads at least this many more. */
const MORE = 200;
const PAGE = 1_000;
/** If the list has more events than this, or receives more new ones at once, it starts over. */
const KEPT_MAX = 150_000;
const CATCH_UP_MAX = 5_000;

export type LogState = {
  /** The events in the order in which they are shown. The array changes in place. */
  readonly rows: readonly Event[];
  /** How many events were read, including those that do not match. */
  readonly looked: number;
  /** When the last event that was read was published, if it is known. */
  readonly edge: string | undefined;
  /** Nothing is left in the direction of reading. */
  readonly isComplete: boolean;
  readonly isReading: boolean;
  readonly error: unknown;
  /** When the server last answered, in milliseconds of this machine's clock. */
  readonly at: number;
  /** The number of rows that were ever added at the top. */
  readonly added: number;
};

export type Log = {
  readonly state: Signal<LogState>;
  readonly paused: Signal<boolean>;
  /** Whether new events appear by themselves. */
  readonly follows: boolean;
  /** Continues to read until some events match, or enough were examined. */
  more(): Promise<void>;
  close(): void;
};

type Deps = {
  readonly browse: Browse;
  /** Opens an event stream. Undefined where the server does not stream. */
  readonly open:
    | ((query: Parameters<Browse>[0], signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>)
    | undefined;
  readonly readPage: Following["readPage"];
  readonly waitSeconds: number;
  readonly onRefused: (error: unknown) => boolean;
  readonly isHidden: () => boolean;
};

const START: LogState = {
  rows: [],
  looked: 0,
  edge: undefined,
  isComplete: false,
  isReading: false,
  error: undefined,
  at: 0,
  added: 0,
};

/** Reads a stream for the list of events: page by page, and live at its end. */
export function openLog(deps: Deps, query: LogQuery, isPaused: boolean): Log {
  const state = signal(START);
  const paused = signal(isPaused);
  const controller = new AbortController();
  const { signal: closed } = controller;
  const set = (change: Partial<LogState>) => {
    if (!closed.aborted) state.value = { ...state.value, ...change };
  };
  const { type, key, keyPrefix, order, last } = query;
  const filters = { type, key, keyPrefix };
  const isNewest = order === "desc" && query.at === undefined;
  const matches = matcher(query);
  const rows: Event[] = [];
  /** Where the next read begins. */
  let next: string | undefined;

  async function readPage(): Promise<EventPage> {
    if (next === undefined && isNewest) {
      // A position at the end separates the existing events from the new ones, without a gap.
      const end = await deps.browse({ from: "latest", limit: 1 }, closed);
      next = end.cursor;
      void live(end.cursor);
    }
    if (next === undefined && last !== undefined) {
      return deps.browse({ ...filters, last }, closed);
    }
    const from = next ?? placeOf(query);
    return deps.browse({ ...filters, order, from, limit: PAGE }, closed);
  }

  async function more(): Promise<void> {
    const { isReading, isComplete } = state.value;
    if (isReading || isComplete || closed.aborted) return;
    set({ isReading: true, error: undefined });
    let [found, looked] = [0, 0];
    try {
      while (found < MORE && looked < LOOKED_MAX) {
        const page = await readPage();
        next = page.cursor;
        looked += page.looked;
        const hits = page.events.filter(matches);
        found += hits.length;
        rows.push(...hits);
        const edge = page.events.at(-1)?.publishedAt ?? state.value.edge;
        set({ rows, looked: state.value.looked + page.looked, edge, at: Date.now() });
        if (!page.caughtUp) continue;
        set({ isComplete: true });
        if (order === "asc") {
          void live(page.cursor);
        }
        break;
      }
    } catch (error) {
      if (!closed.aborted && !deps.onRefused(error)) set({ error });
    } finally {
      set({ isReading: false });
    }
  }

  let follows = false;
  async function live(from: string): Promise<void> {
    if (follows) return;
    follows = true;
    const { open, waitSeconds } = deps;
    const query = { ...filters, limit: PAGE };
    let isTooMuch = false;
    await follow({
      from,
      poll: (at) => deps.browse({ ...query, from: at, waitSeconds }, closed),
      open: open && ((at, signal) => open({ ...query, from: at }, signal)),
      readPage: deps.readPage,
      isIdle: () => paused.value || deps.isHidden(),
      onPage(page) {
        isTooMuch = !add(page);
        return !isTooMuch;
      },
      onState(error) {
        if (error !== undefined && deps.onRefused(error)) return false;
        set(error === undefined ? { error, at: Date.now() } : { error });
        return true;
      },
      closed,
    });
    if (isTooMuch) restart();
  }

  /** Shows new events. Returns whether the list can continue from them. */
  function add(page: EventPage): boolean {
    const hits = page.events.filter(matches);
    const looked = state.value.looked + page.looked;
    const at = Date.now();
    if (order === "asc") {
      rows.push(...hits);
      set({ rows, looked, error: undefined, at });
      return true;
    }
    const isTooMuch = (page.lag?.events ?? 0) > CATCH_UP_MAX || rows.length > KEPT_MAX;
    if (isTooMuch) return false;
    rows.unshift(...hits.toReversed());
    set({ rows, looked, error: undefined, at, added: state.value.added + hits.length });
    return true;
  }

  /** Starts over at the newest event. */
  function restart(): void {
    rows.length = 0;
    next = undefined;
    follows = false;
    set(START);
    void more();
  }

  return {
    state,
    paused,
    follows: isNewest || order === "asc",
    more,
    close: () => controller.abort(),
  };
}

/**
 * Returns a function that checks whether an event has the text in its key, type or data, and has
 * the header.
 */
function matcher({ find, header }: LogQuery): (event: Event) => boolean {
  const text = find.toLowerCase();
  const hasText = ({ key, type = "", data }: Event): boolean =>
    [key, type, data ?? "null"].some((part) => part.toLowerCase().includes(text));
  const hasHeader = headerMatcher(header);
  return (event) => (text === "" || hasText(event)) && hasHeader(event.headers);
}
