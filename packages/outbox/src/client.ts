/** The part of the SDK's `EventLedger` that an outbox uses. */
export type LedgerClient = {
  request<T = unknown>(call: {
    readonly method: "GET" | "POST";
    readonly path: string;
    readonly query?: Readonly<Record<string, string | number | undefined>>;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly attempts?: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<T>;
};

/** The members of an SDK error that an outbox uses. */
type ClientError = {
  readonly name: string;
  readonly code?: string;
  readonly status?: number;
  readonly retry?: string;
  readonly retryAfterMs?: number | undefined;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly body?: Readonly<Record<string, unknown>>;
};

export const asClientError = (error: unknown): ClientError =>
  typeof error === "object" && error !== null && "name" in error
    ? (error as ClientError)
    : { name: "" };

export const streamPath = (stream: string): string => `/streams/${encodeURIComponent(stream)}`;
