import { type InvalidField, PROBLEMS, type ProblemCode } from "@eventledger/protocol";

type Fact = string | number | boolean | null;

type Context = {
  /** What happened and what the client can do, in a sentence or two. The client receives it. */
  readonly detail: string;
  /** The faults of the request, field by field. */
  readonly errors?: readonly InvalidField[];
  /** When a retry is worthwhile. */
  readonly retryAfterSeconds?: number;
  /** Facts for programs, sent as members of the problem. */
  readonly facts?: Readonly<Record<string, Fact | readonly Readonly<Record<string, Fact>>[]>>;
  /** For the log only. Clients never receive it. */
  readonly cause?: unknown;
};

/**
 * An error with a name in the protocol. Core throws it by code and knows nothing of HTTP. The
 * routes print it. `detail`, `errors` and `facts` reach the client, `cause` does not.
 */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly InvalidField[];
  readonly retryAfterSeconds: number | undefined;
  readonly facts: NonNullable<Context["facts"]>;

  constructor(code: ProblemCode, context: Context) {
    super(`${PROBLEMS[code].title}: ${context.detail}`, { cause: context.cause });
    this.code = code;
    this.detail = context.detail;
    this.errors = context.errors ?? [];
    this.retryAfterSeconds = context.retryAfterSeconds;
    this.facts = context.facts ?? {};
  }
}

/** Returns a `400 invalid-request` about one place of the request. */
export const invalidRequest = (pointer: string, detail: string): LedgerError =>
  new LedgerError("invalid-request", {
    detail: `${pointer === "" ? "The body" : pointer} ${detail}.`,
    errors: [{ pointer, detail }],
  });

export const streamNotFound = (): LedgerError =>
  new LedgerError("stream-not-found", {
    detail: "No stream of that name exists. GET /streams lists those that do.",
  });

export const subscriptionNotFound = (): LedgerError =>
  new LedgerError("subscription-not-found", {
    detail: "The stream has no subscription of that name. Create it with POST .../subscriptions.",
  });
