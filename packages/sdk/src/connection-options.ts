import type { Fetch, RequestReport } from "./http/call.ts";
import { type Clock, systemClock } from "./http/clock.ts";
import { type Connection, connect } from "./http/request.ts";
import { RETRY, type RetryPolicy } from "./http/retry-plan.ts";

export type ConnectionOptions = {
  /** The server's address, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /**
   * The API key, or a function that fetches it. `isRefused` is true if the server has refused the
   * last key. The function must then not return a cached one.
   */
  readonly apiKey?: string | ((isRefused: boolean) => string | Promise<string>) | undefined;
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** The time limit of an answer. If the request waits for events, that time is added. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Called for each attempt, for logs and metrics. */
  readonly onRequest?: ((report: RequestReport) => void) | undefined;
  /** Replaces the clock of this machine. For tests. */
  readonly clock?: Clock | undefined;
};

export function openConnection(options: ConnectionOptions): Connection {
  return connect({
    ...options,
    url: new URL(options.url).href.replace(/\/$/, ""),
    apiKey: options.apiKey ?? "",
    // The global fetch is wrapped, because browsers refuse it when it is called as a method.
    fetch: options.fetch ?? ((address, init) => fetch(address, init)),
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: { ...RETRY, ...options.retry },
    clock: options.clock ?? systemClock,
  });
}
