import { LedgerProblem, LedgerUnreachable } from "../errors.ts";
import { type Answer, attempt, type Fetch } from "./attempt.ts";
import { type Clock, sleep } from "./clock.ts";
import { createOutage } from "./outage.ts";
import { pauseAfter, type RetryPolicy } from "./retry-plan.ts";

/**
 * One request. Every request can be repeated: publishes carry an Idempotency-Key, and the others
 * set a state.
 */
export type Call = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** JSON as text, or as members. */
  readonly body?: string | Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * How long the server may hold its answer. Sent in the query of a GET and in the body of a POST.
   */
  readonly waitSeconds?: number | undefined;
  /** How long the answer may take, if that is longer than usual. */
  readonly timeoutMs?: number | undefined;
  /** Replaces the policy's number of attempts. A loop that follows a stream never gives up. */
  readonly attempts?: number | undefined;
  /** Called for each failure after which the request is sent again. */
  readonly onRetry?: ((error: Error) => void) | undefined;
};

/** The argument of `onRequest`, for each attempt. */
export type RequestReport = {
  readonly method: string;
  readonly path: string;
  readonly attempt: number;
  readonly ms: number;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly error: Error | undefined;
};

export type ConnectionDeps = {
  readonly url: string;
  readonly apiKey: string | ((isRefused: boolean) => string | Promise<string>);
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly onRequest: ((report: RequestReport) => void) | undefined;
};

export type Connection = { request(call: Call): Promise<Answer>; readonly clock: Clock };

export function connect(deps: ConnectionDeps): Connection {
  const { clock, retry, onRequest } = deps;
  const unlessAway = createOutage(clock, retry);

  async function request(call: Call): Promise<Answer> {
    const { method, path, signal, attempts = retry.attempts } = call;
    let maybeWritten = false;
    let isKeyRefused = false;
    let last: Error | undefined;
    for (let failures = 0; ; ) {
      let began = 0;
      const send = (isProbe: boolean) => {
        began = clock.now();
        const sent = isProbe ? { ...call, waitSeconds: undefined } : call;
        return attempt(deps, sent, { maybeWritten, isKeyRefused });
      };
      const onWait = () => {
        last = unreachable(call, 0, maybeWritten);
        call.onRetry?.(last);
      };
      const outcome = await unlessAway(send, attempts - failures, signal, !last && onWait);
      if (outcome === undefined) throw last;
      const { answer, isLost } = outcome;
      let { error } = outcome;
      failures += 1;
      onRequest?.({
        method,
        path,
        attempt: failures,
        ms: clock.now() - began,
        status: answer?.status,
        requestId: answer?.header("x-request-id") ?? undefined,
        error,
      });
      if (error === undefined) return answer as Answer;

      if (LedgerProblem.is(error, "unauthorized") && !isKeyRefused) {
        // The key may have been rotated since it was fetched.
        isKeyRefused = true;
        if (typeof deps.apiKey === "function") continue;
      }
      maybeWritten ||= method !== "GET" && outcome.isOpen;
      if (isLost) error = unreachable(call, failures, maybeWritten, error);
      const pauseMs = pauseAfter({ ...retry, attempts }, error, failures, Math.random());
      if (pauseMs === undefined || failures >= attempts) throw error;
      last = error;
      call.onRetry?.(error);
      await sleep(clock, pauseMs, signal);
    }
  }
  return { request, clock };
}

const unreachable = (
  { method, path }: Call,
  attempts: number,
  maybeWritten: boolean,
  cause?: Error,
): Error => {
  const why = cause?.message ?? "the server is away";
  const text = `No answer to ${method} ${path} in ${attempts} attempt(s): ${why}`;
  return new LedgerUnreachable(text, { maybeWritten, cause });
};
