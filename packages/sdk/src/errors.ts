/**
 * The errors of the SDK. Each class has a brand, so that `is` also recognizes errors of another
 * copy of the package, where `instanceof` does not.
 */
const BRAND: unique symbol = Symbol.for("eventledger.error") as never;

/**
 * The advice for a program. A newer server may send other values. The SDK then does not repeat the
 * request.
 */
export type Retry = "never" | "same" | "refresh" | "later";

/** One fault of a request, at a JSON Pointer into it. */
export type InvalidPart = { readonly pointer: string; readonly detail: string };

/** The codes that this version knows. A newer server may send others: handle those by `retry`. */
export type ProblemCode =
  | "invalid-request"
  | "malformed-json"
  | "malformed-gzip"
  | "malformed-http"
  | "invalid-cursor"
  | "unauthorized"
  | "forbidden"
  | "route-not-found"
  | "stream-not-found"
  | "subscription-not-found"
  | "api-key-not-found"
  | "key-not-found"
  | "event-not-found"
  | "parked-key-not-found"
  | "export-not-found"
  | "erasure-not-found"
  | "push-not-found"
  | "method-not-allowed"
  | "streaming-unavailable"
  | "request-timeout"
  | "stream-exists"
  | "subscription-exists"
  | "lease-lost"
  | "not-parkable"
  | "not-compacted"
  | "not-archived"
  | "incompatible-schemas"
  | "too-many-exports"
  | "too-many-erasures"
  | "retention-passed"
  | "bootstrap-expired"
  | "changes-passed"
  | "sequence-mismatch"
  | "request-too-large"
  | "event-too-large"
  | "too-many-events"
  | "unsupported-media-type"
  | "expectation-failed"
  | "unsupported-data"
  | "idempotency-key-reused"
  | "too-many-requests"
  | "headers-too-large"
  | "internal"
  | "stream-busy"
  | "outcome-unknown"
  | "compaction-stalled"
  | "compaction-lagging"
  | "numbering-at-risk"
  | "restore-pending"
  | "store-unavailable"
  | "store-misconfigured"
  | "store-full"
  | "archive-unavailable"
  /** The answer does not come from EventLedger. A proxy or another server sent it. */
  | "unexpected-answer";

/** A minifier changes the constructor's name, so each instance stores its name. */
abstract class Branded extends Error {
  abstract override readonly name: string;
  get [BRAND](): string {
    return this.name;
  }
}

/** The server's refusal of a request. */
export class LedgerProblem extends Branded {
  override readonly name = "LedgerProblem";
  declare readonly code: ProblemCode | (string & {});
  declare readonly status: number;
  declare readonly retry: Retry;
  /** The pause that the server asks for. */
  declare readonly retryAfterMs: number | undefined;
  declare readonly requestId: string | undefined;
  /** The faults of the request, each with its pointer. */
  declare readonly errors: readonly InvalidPart[];
  /** Whether the request may have taken effect despite the error. */
  declare readonly maybeWritten: boolean;
  /** The whole answer, including the members of its code, such as `seek` and `mismatches`. */
  declare readonly body: Readonly<Record<string, unknown>>;

  constructor(body: Readonly<Record<string, unknown>>, maybeWritten = false) {
    super(`${body.code}: ${body.detail ?? body.title ?? ""}`);
    this.code = String(body.code);
    this.status = Number(body.status);
    this.retry = (body.retry ?? "never") as Retry;
    this.retryAfterMs = Number(body.retryAfter) * 1_000 || undefined;
    this.requestId = body.instance as string | undefined;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.maybeWritten = maybeWritten || this.code === "outcome-unknown";
    this.body = body;
  }

  /** Whether an error is a problem and, if codes are given, has one of them. */
  static is(error: unknown, ...codes: ProblemCode[]): error is LedgerProblem {
    return (
      isBranded(error, "LedgerProblem") &&
      (codes.length === 0 || (codes as string[]).includes((error as LedgerProblem).code))
    );
  }
}

/** The request was sent as often as allowed, and no answer came. */
export class LedgerUnreachable extends Branded {
  override readonly name = "LedgerUnreachable";
  /** Whether a write may have taken effect although its answer was lost. */
  declare readonly maybeWritten: boolean;

  constructor(message: string, { maybeWritten, cause }: { maybeWritten: boolean; cause: unknown }) {
    super(message, { cause });
    this.maybeWritten = maybeWritten;
  }

  static is(error: unknown): error is LedgerUnreachable {
    return isBranded(error, "LedgerUnreachable");
  }
}

/** The reason why a schema refuses an event's data, or why the data cannot be JSON. */
export type Issue = { readonly message: string; readonly path: readonly PropertyKey[] };

/** An event that must not be published, or that a consumer cannot use. */
export class InvalidEvent extends Branded {
  override readonly name = "InvalidEvent";
  declare readonly issues: readonly Issue[];
  declare readonly key: string;
  declare readonly type: string | undefined;
  /** Only for an event that was received. */
  declare readonly sequence: number | undefined;

  constructor(
    { key, type, sequence }: { key: string; type?: string | undefined; sequence?: number },
    issues: readonly Issue[],
  ) {
    const where = sequence === undefined ? "" : ` with sequence ${sequence}`;
    const what = issues.map(({ message, path }) => `/${path.map(String).join("/")} ${message}`);
    super(`The event of ${JSON.stringify(key)}${where} is not valid: ${what.join("; ")}`);
    this.issues = issues;
    this.key = key;
    this.type = type;
    this.sequence = sequence;
  }

  static is(error: unknown): error is InvalidEvent {
    return isBranded(error, "InvalidEvent");
  }
}

const isBranded = (error: unknown, brand: string): boolean =>
  (error as { [BRAND]?: string } | null | undefined)?.[BRAND] === brand;

/**
 * Treats a refusal of a repeated request as success if its code means that the first request has
 * taken effect.
 */
export async function unlessRepeated(
  running: Promise<unknown>,
  ...codes: ProblemCode[]
): Promise<void> {
  await running.catch((error: unknown) => {
    if (!LedgerProblem.is(error, ...codes) || !error.maybeWritten) throw error;
  });
}
