import type { Clock } from "./clock.ts";
import type { RetryPolicy } from "./retry-plan.ts";

/** The part of `fetch` that the SDK uses. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    redirect: "manual";
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

/**
 * One request. Every request can be repeated: publishes carry an Idempotency-Key, and the others
 * set a state.
 */
export type Call = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** JSON as text, or as members. */
  readonly body?: string | Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * How long the server may wait for events. Sent in the query of a GET and in the body of a POST.
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
  /** Undefined when no answer arrived. */
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
  readonly onRequest?: ((report: RequestReport) => void) | undefined;
};
