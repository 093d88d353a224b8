import type { Fetch, RequestReport } from "./http/call.ts";
import { type Clock, systemClock } from "./http/clock.ts";
import { type Connection, connect } from "./http/request.ts";
import { RETRY, type RetryPolicy } from "./http/retry-plan.ts";

export type ConnectionOptions = {
  /** The server's address, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /**
   * The API key, or a function that fetches it. `isRefused` says that the server has refused the
   * last key, so a cached one is of no use.
   */
  readonly apiKey?: string | ((isRefused: boolean) => string | Promise<string>) | undefined;
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** How long an answer may take. A wait that the request asks for comes on top. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Called for each attempt, for logs and metrics. */
  readonly onRequest?: ((report: RequestReport) => void) | undefined;
  /** Replaces the clock of this machine. For tests. */
  readonly clock?: Clock | undefined;
};

export function openConnection({ apiKey = "", ...options }: ConnectionOptions): Connection {
  const url = new URL(options.url).href.replace(/\/$/, "");
  return connect({
    url,
    apiKey,
    // The global fetch is wrapped, because browsers refuse it when it is called as a method.
    fetch: options.fetch ?? ((address, init) => fetch(address, init)),
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: { ...RETRY, ...options.retry },
    clock: options.clock ?? systemClock,
    onRequest: options.onRequest,
  });
}
