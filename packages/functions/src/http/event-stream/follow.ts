import { type Clock, type StoredEvent, systemClock } from "@eventledger/core";
import { printPage } from "../formats/event-json.ts";
import { heartbeatFrame, OPENING, pageFrame, problemFrame } from "./frames.ts";

/** A page of events with its other members, as the routes receive it from the ledger. */
export type FollowedPage = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly nextPollMs?: number | undefined;
};

export type Following = {
  readonly stream: string;
  /** The page that the route has already read. Its problems had a status of their own. */
  readonly first: FollowedPage;
  /** Reads the page after a cursor. Waits for events up to `waitSeconds`, never beyond the end. */
  readonly readAfter: (
    cursor: string,
    waitSeconds: number,
    signal: AbortSignal,
  ) => Promise<FollowedPage>;
  /** Throws when the caller may no longer read. */
  readonly recheck: () => Promise<void>;
  /** Returns true once this process is about to end. */
  readonly isEnding: () => boolean;
  /** How long the connection lasts, in milliseconds. The client then reconnects. */
  readonly lastsMs: number;
  /** Returns an error as the body of a problem. */
  readonly printProblem: (error: unknown) => Promise<string>;
  /** Aborts when the client has disconnected. */
  readonly gone: AbortSignal;
};

/** An idle connection carries a frame at least this often. */
const HEARTBEAT_SECONDS = 15;
/** A connection checks this often whether its API key is still valid. */
const RECHECK_EVERY_MS = 10_000;

/**
 * Follows pages as an event stream. It reads a page only when the client has taken the one before,
 * so a slow client costs the memory of one page. The stream ends after `lastsMs`, when the process
 * ends, or with a `problem` frame.
 */
export function followPages(
  { stream, first, readAfter, recheck, isEnding, lastsMs, printProblem, gone }: Following,
  clock: Clock = systemClock,
): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  const closed = new AbortController();
  const signal = AbortSignal.any([gone, closed.signal]);
  const deadlineMs = clock.monotonic() + lastsMs;
  let last: FollowedPage | undefined;
  let checkedMs = clock.monotonic();
  const leftMs = () => Math.max(0, deadlineMs - clock.monotonic());

  /** Returns the next frame, or undefined once the stream is over. */
  async function nextFrame(): Promise<string | undefined> {
    if (last === undefined) {
      last = first;
      return OPENING + frameOf(first);
    }
    const restMs = last.events.length === 0 ? (last.nextPollMs ?? 0) : 0;
    await clock.sleep(Math.min(restMs, HEARTBEAT_SECONDS * 1_000, leftMs()), signal);
    if (signal.aborted || isEnding() || leftMs() === 0) return undefined;
    await recheckInTime();
    const waitSeconds = Math.min(HEARTBEAT_SECONDS, leftMs() / 1_000);
    const page = await readAfter(last.cursor, waitSeconds, signal);
    await recheckInTime();
    const isQuiet = page.events.length === 0 && factsOf(page) === factsOf(last);
    last = page;
    return isQuiet ? heartbeatFrame(page.cursor) : frameOf(page);
  }

  /** Also runs after a wait, so that no event reaches a key that was revoked meanwhile. */
  async function recheckInTime(): Promise<void> {
    if (clock.monotonic() - checkedMs < RECHECK_EVERY_MS) return;
    await recheck();
    checkedMs = clock.monotonic();
  }

  const frameOf = ({ events, ...members }: FollowedPage): string =>
    pageFrame(members.cursor, printPage(members, events, "native", stream).body);

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const frame = await nextFrame();
          if (frame === undefined) controller.close();
          else controller.enqueue(utf8.encode(frame));
        } catch (error) {
          if (signal.aborted) return controller.close();
          controller.enqueue(utf8.encode(problemFrame(await printProblem(error))));
          controller.close();
        }
      },
      cancel: () => closed.abort(),
    },
    { highWaterMark: 0 },
  );
}

/** Returns what a reader must learn even from a page without events. */
const factsOf = ({ caughtUp, ...page }: FollowedPage): string => {
  const { phase, snapshotEnd, consistent } = page as Readonly<Record<string, unknown>>;
  return JSON.stringify([caughtUp, phase, snapshotEnd, consistent]);
};
