import { LedgerProblem, LedgerUnreachable } from "../errors.ts";
import { type Answer, attempt, type Fetch } from "./attempt.ts";
import { type Clock, sleep } from "./clock.ts";
import { createOutage } from "./outage.ts";
import { backOffMs, pauseAfter, type RetryPolicy } from "./retry-plan.ts";

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
  readonly apiKey: (isRefused: boolean) => string | Promise<string>;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly onRequest: ((report: RequestReport) => void) | undefined;
};

export type Connection = { request(call: Call): Promise<Answer>; readonly clock: Clock };

export function connect(deps: ConnectionDeps): Connection {
  const { clock, retry: policy } = deps;
  const outage = createOutage(clock, policy);

  async function request(call: Call): Promise<Answer> {
    const attempts = call.attempts ?? policy.attempts;
    const isWrite = call.method !== "GET";
    let isRepeated = false;
    let isKeyRefused = false;
    let last: Error | undefined;
    for (let failures = 0; ; ) {
      const turn = await outage.turn(attempts - failures, call.signal);
      if (turn === undefined) throw unreachable(call, attempts, isRepeated, last);
      const began = clock.now();
      const outcome = await attempt(
        deps,
        turn.isProbe ? { ...call, waitSeconds: undefined } : call,
        isKeyRefused,
      ).catch((error: unknown) => {
        turn.end("unknown");
        throw error;
      });
      turn.end(outcome.kind === "lost" ? "lost" : "reached");
      report(deps, call, { outcome, attempt: failures + 1, ms: clock.now() - began });
      if (outcome.kind === "answer") return outcome.answer;

      failures += 1;
      if (outcome.kind === "lost") {
        isRepeated ||= isWrite && outcome.isSent;
        last = outcome.cause;
        if (failures >= attempts) throw unreachable(call, failures, isRepeated, last);
        call.onRetry?.(unreachable(call, failures, isRepeated, last));
        await sleep(clock, backOffMs(policy, failures, Math.random()), call.signal);
        continue;
      }
      const problem = new LedgerProblem(outcome.body, isRepeated);
      if (problem.code === "unauthorized" && !isKeyRefused) {
        // The key may have been rotated since it was fetched.
        isKeyRefused = true;
        if (outcome.isKeyFetched) continue;
      }
      const pauseMs = pauseAfter(policy, problem, failures, Math.random());
      if (pauseMs === undefined || failures >= attempts) throw problem;
      isRepeated ||= isWrite && problem.retry === "same";
      last = problem;
      call.onRetry?.(problem);
      await sleep(clock, pauseMs, call.signal);
    }
  }
  return { request, clock };
}

const unreachable = (
  { method, path }: Call,
  attempts: number,
  maybeWritten: boolean,
  cause: Error | undefined,
): Error => {
  if (LedgerProblem.is(cause)) return cause;
  const times = attempts === 1 ? "once" : `${attempts} times`;
  const text = `No answer to ${method} ${path}, tried ${times}: ${cause?.message ?? "the server is away"}`;
  return new LedgerUnreachable(text, { maybeWritten, cause });
};

function report(
  { onRequest }: ConnectionDeps,
  { method, path }: Call,
  { outcome, ...times }: { outcome: Outcome; attempt: number; ms: number },
): void {
  const { answer, cause, body } = outcome as Reported;
  onRequest?.({
    method,
    path,
    ...times,
    status: answer?.status,
    requestId: answer?.header("x-request-id") ?? undefined,
    error: cause ?? (body && new LedgerProblem(body)),
  });
}

type Reported = {
  readonly answer?: Answer;
  readonly cause?: Error;
  readonly body?: Readonly<Record<string, unknown>>;
};

type Outcome = Awaited<ReturnType<typeof attempt>>;
