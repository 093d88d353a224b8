import type { FakeStream } from "./fake-log.ts";
import { Refusal } from "./fake-problem.ts";
import type { FakeSubscription } from "./fake-subscription.ts";

/** A stream with its subscriptions. */
export type Found = { stream: FakeStream; subs: Map<string, FakeSubscription> };

/** The state of the fake. */
export type FakeState = {
  readonly streams: Map<string, Found>;
  lives: number;
  /** The wall clock. */
  now(): number;
  /** Resolves with the next publish, or when the time is up. */
  changed(ms: number): Promise<void>;
};

export type FakeRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The body, with each number spelled as it was sent. */
  readonly exact: unknown;
  readonly body: Readonly<Record<string, unknown>>;
  readonly header: (name: string) => string | undefined;
};

export type FakeAnswer = { readonly status: number; readonly body?: unknown };

export const WAIT_SECONDS = 20;

/**
 * After a poll that waited, the next one is due at once. Tests should not have to wait for the
 * pace.
 */
export const pacing = (caughtUp: boolean, waitSeconds: unknown) => ({
  waitSecondsAdvised: WAIT_SECONDS,
  nextPollMs: caughtUp && !waitSeconds ? 10 : 0,
});

/** Waits until there is an event, or until the seconds have passed. */
export async function wait(
  state: FakeState,
  seconds: number,
  isThere: () => boolean,
): Promise<void> {
  const until = state.now() + seconds * 1_000;
  while (!isThere() && state.now() < until) await state.changed(until - state.now());
}

/** A stream that was deleted in the meantime is gone, even if its name is in use again. */
export function assertAlive(state: FakeState, stream: FakeStream): void {
  if (isAlive(state, stream)) return;
  throw new Refusal("stream-not-found", `There is no stream ${stream.name}`);
}

export const isAlive = ({ streams }: FakeState, stream: FakeStream): boolean =>
  streams.get(stream.name)?.stream === stream;
