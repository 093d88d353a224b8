import { LedgerError } from "@eventledger/core";
import { PROBLEMS, type Problem, type ProblemCode, problemType } from "@eventledger/protocol";
import { HTTPException } from "hono/http-exception";
import { lengthOf } from "./compressed.ts";
import { limitHeaders } from "./limit-headers.ts";

/** Logs an error that has no code in the protocol. */
export type LogFailure = (failure: { requestId: string; error: unknown }) => void;

/**
 * Converts any error to an `application/problem+json` answer (RFC 9457). An error without a problem
 * code becomes `internal` without a detail. Such an error is logged with its cause, and the client
 * sees none of it. Client errors are not logged here, because clients could fill the log.
 */
export function toProblemResponse(
  error: unknown,
  requestId: string,
  logFailure: LogFailure,
): Response {
  const named = toLedgerError(error);
  const problem = named ?? INTERNAL;
  const { status } = PROBLEMS[problem.code];
  if (named === undefined) logFailure({ requestId, error });
  else if (named.cause !== undefined && status >= 500) logFailure({ requestId, error: named });
  const body = JSON.stringify(toProblem(problem, requestId));
  return new Response(body, {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...lengthOf(body),
      ...(problem.retryAfterSeconds === undefined
        ? {}
        : { "Retry-After": String(problem.retryAfterSeconds) }),
      ...(problem.code === "quota-exceeded"
        ? limitHeaders(problem.facts, problem.retryAfterSeconds)
        : {}),
      ...(typeof problem.facts.accepted === "string"
        ? { "Accept-Post": problem.facts.accepted }
        : {}),
      ...(typeof problem.facts.acceptedEncodings === "string"
        ? { "Accept-Encoding": problem.facts.acceptedEncodings }
        : {}),
      ...(status === 401 ? { "WWW-Authenticate": 'Bearer realm="eventledger"' } : {}),
    },
  });
}

/** Returns the problem code with which an error is answered. */
export const problemCodeOf = (error: unknown): ProblemCode =>
  (toLedgerError(error) ?? INTERNAL).code;

const INTERNAL = new LedgerError("internal", {
  detail: "Internal error. Report the request id to the operator.",
});

const toProblem = (
  { code, detail, errors, facts, retryAfterSeconds }: LedgerError,
  requestId: string,
): Problem => ({
  type: problemType(code),
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  code,
  detail,
  instance: requestId,
  retry: PROBLEMS[code].retry,
  ...(retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }),
  ...(errors.length === 0 ? {} : { errors: [...errors] }),
  ...facts,
});

function toLedgerError(error: unknown): LedgerError | undefined {
  if (error instanceof LedgerError) return error;
  if (isClientGone(error)) return CLIENT_GONE;
  if (!(error instanceof HTTPException)) return undefined;
  const code = HTTP_CODES[error.status];
  return code === undefined ? undefined : new LedgerError(code, { detail: DETAILS[code] ?? "" });
}

/**
 * The problem for a body that ends early because the client disconnected. No client can read the
 * answer, and the log does not need it.
 */
const CLIENT_GONE = new LedgerError("malformed-http", {
  detail: "The connection was closed before the body was complete.",
});

/**
 * Returns whether a body could not be read because the client disconnected. A connection error of
 * the store already has a problem code at this point.
 */
const isClientGone = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ECONNRESET";

/** The problem codes of errors that the HTTP framework throws. */
const HTTP_CODES: Partial<Record<number, ProblemCode>> = {
  400: "malformed-json",
  413: "request-too-large",
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  "malformed-json": "The body cannot be parsed as JSON.",
};

/**
 * Adapts a problem for a DELETE. A client that only repeats its DELETE has nothing left to do, and
 * the problem says so.
 */
export function ofRepeatable(error: Error): Error {
  if (!(error instanceof LedgerError) || !error.code.endsWith("-not-found")) return error;
  const detail = `${error.detail} If this repeats a DELETE whose answer was lost, that DELETE succeeded.`;
  return new LedgerError(error.code, { detail, errors: error.errors, facts: error.facts });
}
