import { LedgerProblem, LedgerUnreachable } from "../errors.ts";
import { type Answer, attempt } from "./attempt.ts";
import type { Call, ConnectionDeps } from "./call.ts";
import { type Clock, sleep } from "./clock.ts";
import { createOutage } from "./outage.ts";
import { pauseAfter } from "./retry-plan.ts";

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
      const pauseMs = pauseAfter({ ...retry, attempts }, error, failures);
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
