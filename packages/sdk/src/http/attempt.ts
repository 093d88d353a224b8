import { LedgerProblem } from "../errors.ts";
import type { Call, ConnectionDeps } from "./call.ts";

export type Answer = {
  readonly status: number;
  readonly text: string;
  header(name: string): string | null;
};

type Outcome = {
  readonly answer?: Answer;
  /** A LedgerProblem, or the reason why no answer of EventLedger arrived. */
  readonly error?: Error | undefined;
  readonly isLost: boolean;
  /**
   * True if the server may have received the request despite the error, or may still carry it out.
   */
  readonly isOpen: boolean;
};

/** What is known from earlier attempts of the request. */
type Before = { readonly maybeWritten: boolean; readonly isKeyRefused: boolean };

/**
 * Sends a request once. Throws only if the caller's signal is aborted or the key cannot be fetched.
 */
export async function attempt(
  { apiKey, clock, fetch, url, timeoutMs: usualMs }: ConnectionDeps,
  { signal, method, path, headers, query, body: given, timeoutMs = 0, waitSeconds }: Call,
  { maybeWritten, isKeyRefused }: Before,
): Promise<Outcome> {
  const body = typeof given === "object" ? JSON.stringify({ ...given, waitSeconds }) : given;
  const bearer = typeof apiKey === "string" ? apiKey : await apiKey(isKeyRefused);
  signal?.throwIfAborted();

  // Each attempt has its own controller. The caller's signal may live as long as the process, and
  // would otherwise collect a listener for each attempt.
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const mostMs = Math.max(usualMs, timeoutMs) + (waitSeconds ?? 0) * 1_000;
  const cancel = clock.after(mostMs, () =>
    controller.abort(new Error(`no answer within ${mostMs} ms`)),
  );
  try {
    const response = await fetch(
      url + path + search(method === "GET" ? { ...query, waitSeconds } : query),
      {
        method,
        headers: {
          ...(bearer !== "" && { Authorization: `Bearer ${bearer}` }),
          ...(body !== undefined && { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body }),
        signal: controller.signal,
        // A redirect would turn a publish into a GET.
        redirect: "manual",
      },
    );
    const answer: Answer = {
      status: response.status,
      text: await response.text(),
      header: (name) => response.headers.get(name),
    };
    const error = problemOf(answer, maybeWritten);
    return { answer, error, isLost: false, isOpen: error?.retry === "same" };
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    const cause = controller.signal.aborted ? controller.signal.reason : thrown;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    return { error, isLost: true, isOpen: !isNeverSent(cause) };
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Returns the problem that an answer contains, if any. Throws if the answer does not come from
 * EventLedger.
 */
function problemOf(
  { status, text, header }: Answer,
  maybeWritten: boolean,
): LedgerProblem | undefined {
  const type = header("content-type") ?? "";
  if (status >= 200 && status < 300) {
    if (text === "" || /^application\/([a-z.-]+\+)?json/.test(type)) return undefined;
    throw new Error(`${status} with ${type || "no type"} is not an answer of EventLedger`);
  }
  const retryAfter = Number(header("retry-after")) || undefined;
  let body = type.startsWith("application/problem+json") ? JSON.parse(text) : {};
  if (typeof body.code !== "string") {
    // Gateways send these statuses when the server does not answer.
    if (status > 501 && status < 505) throw new Error(`a gateway answered ${status}`);
    const retry = status === 408 || status >= 500 ? "same" : status === 429 ? "later" : "never";
    body = { code: "unexpected-answer", status, retry, detail: `${status} ${text.slice(0, 200)}` };
  }
  return new LedgerProblem({ retryAfter, ...body }, maybeWritten);
}

/** Returns a query string. Undefined members are left out. */
export function search(query: Call["query"] = {}): string {
  const members = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${encodeURIComponent(value)}`,
  );
  return members.length === 0 ? "" : `?${members.join("&")}`;
}

const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;

/**
 * Returns whether the connection itself failed, so that the server cannot have received the
 * request.
 */
function isNeverSent(error: unknown, depth = 0): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: unknown };
  return (
    NEVER_SENT.test(code ?? "") ||
    (cause !== undefined && depth < 3 && isNeverSent(cause, depth + 1))
  );
}
