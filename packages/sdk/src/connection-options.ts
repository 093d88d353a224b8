import type { Fetch } from "./http/attempt.ts";
import { type Clock, systemClock } from "./http/clock.ts";
import { type Connection, connect, type RequestReport } from "./http/request.ts";
import { RETRY, type RetryPolicy } from "./http/retry-plan.ts";

export type ConnectionOptions = {
  /** Where EventLedger answers, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /**
   * The API key, or a function that fetches it. `isRefused`: the server has refused the last one,
   * so one that is kept is of no use.
   */
  readonly apiKey?: string | ((isRefused: boolean) => string | Promise<string>) | undefined;
  /** Instead of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** How long an answer may take, in addition to a wait that was asked for. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Called for each attempt, for logs and metrics. */
  readonly onRequest?: ((report: RequestReport) => void) | undefined;
  /** Instead of the time of this machine. For tests. */
  readonly clock?: Clock | undefined;
};

export function openConnection({ apiKey = "", ...options }: ConnectionOptions): Connection {
  const url = new URL(options.url).href.replace(/\/$/, "");
  return connect({
    url,
    apiKey: typeof apiKey === "string" ? () => apiKey : apiKey,
    // Not passed on as it is: browsers refuse it when it is called as a method.
    fetch: options.fetch ?? ((address, init) => fetch(address, init)),
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: { ...RETRY, ...options.retry },
    clock: options.clock ?? systemClock,
    onRequest: options.onRequest,
  });
}
