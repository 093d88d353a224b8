import type { Call, ConnectionDeps } from "./request.ts";

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

export type Answer = {
  readonly status: number;
  readonly text: string;
  header(name: string): string | null;
};

type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | {
      readonly kind: "problem";
      readonly answer: Answer;
      readonly body: Readonly<Record<string, unknown>>;
      readonly isKeyFetched: boolean;
    }
  /** No complete answer came. `isSent`: the server may have received the request. */
  | { readonly kind: "lost"; readonly cause: Error; readonly isSent: boolean };

/**
 * Sends a request once. Throws only if the caller's signal is aborted or the key cannot be fetched.
 */
export async function attempt(
  deps: ConnectionDeps,
  call: Call,
  isKeyRefused: boolean,
): Promise<Outcome> {
  const { signal, method, waitSeconds } = call;
  const hold = waitSeconds === undefined ? {} : { waitSeconds };
  const query = method === "GET" ? { ...call.query, ...hold } : call.query;
  const body =
    typeof call.body === "object" ? JSON.stringify({ ...call.body, ...hold }) : call.body;
  const given = deps.apiKey(isKeyRefused);
  const isKeyFetched = typeof given !== "string";
  const apiKey = await given;
  signal?.throwIfAborted();

  // Each attempt has its own controller. The caller's signal may live as long as the process, and
  // would keep every listener.
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timeoutMs = Math.max(deps.timeoutMs, call.timeoutMs ?? 0) + (waitSeconds ?? 0) * 1_000;
  const cancel = deps.clock.after(timeoutMs, () =>
    controller.abort(new Error(`no answer within ${timeoutMs} ms`)),
  );
  try {
    const response = await deps.fetch(deps.url + call.path + search(query), {
      method,
      headers: {
        ...(apiKey === "" ? {} : { Authorization: `Bearer ${apiKey}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: controller.signal,
      // A redirect would turn a publish into a GET.
      redirect: "manual",
    });
    const answer: Answer = {
      status: response.status,
      text: await response.text(),
      header: (name) => response.headers.get(name),
    };
    return judge(answer, isKeyFetched);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const cause = controller.signal.aborted ? controller.signal.reason : error;
    return { kind: "lost", cause: toError(cause), isSent: !isNeverSent(cause) };
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The kinds of answer: one of EventLedger, a problem, or one of a proxy. */
function judge(answer: Answer, isKeyFetched: boolean): Outcome {
  const { status, header } = answer;
  const type = header("content-type") ?? "";
  if (status >= 200 && status < 300) {
    if (answer.text === "" || isJson(type)) return { kind: "answer", answer };
    const cause = new Error(`${status} with ${type || "no type"} is no answer of EventLedger`);
    return { kind: "lost", cause, isSent: true };
  }
  const body = type.startsWith("application/problem+json") ? parse(answer.text) : undefined;
  if (body !== undefined && typeof body.code === "string") {
    return { kind: "problem", answer, body: withRetryAfter(body, answer), isKeyFetched };
  }
  // Gateways send these statuses when the server does not answer.
  if (status === 502 || status === 503 || status === 504) {
    return { kind: "lost", cause: new Error(`a gateway answered ${status}`), isSent: true };
  }
  const retry = status === 408 || status >= 500 ? "same" : status === 429 ? "later" : "never";
  const detail = `${status} ${answer.text.slice(0, 200)}`;
  const unexpected = withRetryAfter({ code: "unexpected-answer", status, retry, detail }, answer);
  return { kind: "problem", answer, body: unexpected, isKeyFetched };
}

const isJson = (type: string): boolean => /^application\/([a-z.-]+\+)?json/.test(type);

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withRetryAfter(
  body: Record<string, unknown>,
  { header }: Answer,
): Record<string, unknown> {
  const seconds = Number(header("retry-after") ?? "");
  return seconds > 0 && body.retryAfter === undefined ? { ...body, retryAfter: seconds } : body;
}

/** A query string. Undefined members are left out. */
export function search(query: Call["query"] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const toError = (value: unknown): Error =>
  value instanceof Error ? value : new Error(String(value));

const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;

/** Whether the connection itself failed, so that the server cannot have had the request. */
function isNeverSent(error: unknown, depth = 0): boolean {
  if (typeof error !== "object" || error === null || depth > 3) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && NEVER_SENT.test(code)) return true;
  return isNeverSent(cause, depth + 1);
}
