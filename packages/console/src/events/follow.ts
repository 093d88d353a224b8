import { LedgerProblem } from "../../../sdk/src/index.ts";
import type { EventPage } from "../api.ts";
import { createFrames, type Frame } from "./frames.ts";

/** After this many consecutive connections that ended at once, something in between cuts them. */
const SHORT_MAX = 3;
const SHORT_MS = 1_000;
/** The server sends something every 15 s, so a longer silence means that the connection is dead. */
const SILENT_MS = 45_000;
const RECONNECT_MS = 1_000;
const RETRY_MS = 3_000;
/** How often a paused or hidden list checks whether it may continue. */
const LOOK_MS = 300;

export type Following = {
  /** The cursor after which the first page begins. */
  readonly from: string;
  /** Requests the page after a cursor, and waits for events. */
  readonly poll: (from: string) => Promise<EventPage>;
  /** Opens an event stream after a cursor. Undefined where the server does not stream. */
  readonly open:
    | ((from: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>)
    | undefined;
  readonly readPage: (json: string) => EventPage;
  /** Whether the list is paused or hidden. It then holds no connection, and shows nothing new. */
  readonly isIdle: () => boolean;
  /** Takes a page. Returns false when following ends. */
  readonly onPage: (page: EventPage) => boolean;
  /** Takes a failure, or undefined once the server answers. Returns false when following ends. */
  readonly onState: (error: unknown) => boolean;
  readonly closed: AbortSignal;
};

/**
 * Follows a stream by one connection that the server keeps open, or else by polls. Only a whole
 * page moves the position. So no event is lost and none is repeated, wherever a connection is cut.
 */
export async function follow(following: Following): Promise<void> {
  const { poll, open, isIdle, onPage, onState, closed } = following;
  let at = following.from;
  let short = 0;
  let isStreaming = open !== undefined;

  /** Follows by a connection until it ends. Returns false when following ends. */
  async function listen(how: NonNullable<typeof open>): Promise<boolean> {
    const began = Date.now();
    const end = await connect({ ...following, open: how, from: at }, (cursor) => {
      at = cursor;
    });
    if (end === "cut") {
      short = Date.now() - began < SHORT_MS ? short + 1 : 0;
      isStreaming = short < SHORT_MAX;
      await pause(RECONNECT_MS, closed);
    }
    return end !== "done";
  }

  /** Polls once. Returns false when following ends. */
  async function ask(): Promise<boolean> {
    const page = await poll(at);
    // The events that arrived while the list was paused are sent again when it continues.
    if (isIdle()) return true;
    at = page.cursor;
    if (!onPage(page)) return false;
    if (page.caughtUp) await pause(Math.max(250, page.nextPollMs ?? 1_000), closed);
    return true;
  }

  while (!closed.aborted) {
    if (isIdle()) {
      await pause(LOOK_MS, closed);
      continue;
    }
    try {
      const goesOn = isStreaming && open !== undefined ? await listen(open) : await ask();
      if (!goesOn) return;
    } catch (error) {
      if (closed.aborted) return;
      if (LedgerProblem.is(error, "streaming-unavailable")) isStreaming = false;
      else if (onState(error)) await pause(RETRY_MS, closed);
      else return;
    }
  }
}

type Connecting = Following & { readonly open: NonNullable<Following["open"]> };

/** Why a connection has ended: the server cut it, the list is idle, or following ends. */
type End = "cut" | "idle" | "done";

async function connect(
  { from, open, readPage, isIdle, onPage, onState, closed }: Connecting,
  onCursor: (cursor: string) => void,
): Promise<End> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  closed.addEventListener("abort", abort, { once: true });
  let heardMs = Date.now();
  const watch = setInterval(() => {
    if (isIdle() || Date.now() - heardMs > SILENT_MS) abort();
  }, LOOK_MS);

  /** Handles a frame. Returns how the connection ends with it, or undefined. */
  const take = ({ event, id, data }: Frame): End | undefined => {
    if (closed.aborted) return "done";
    if (isIdle()) return "idle";
    if (event === "problem") throw new LedgerProblem(JSON.parse(data ?? "{}"));
    if (id !== undefined) onCursor(id);
    if (event === "page" && data !== undefined && !onPage(readPage(data))) return "done";
    return undefined;
  };
  try {
    const reader = (await open(from, connection.signal)).getReader();
    onState(undefined);
    const utf8 = new TextDecoder();
    const framesOf = createFrames();
    for (;;) {
      const piece = await reader.read().catch(() => undefined);
      if (piece?.value === undefined) break;
      heardMs = Date.now();
      for (const frame of framesOf(utf8.decode(piece.value, { stream: true }))) {
        const end = take(frame);
        if (end !== undefined) return end;
      }
    }
    return isIdle() ? "idle" : "cut";
  } finally {
    clearInterval(watch);
    closed.removeEventListener("abort", abort);
    abort();
  }
}

/** Resolves after a time, or at once when following has ended. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
