import { LedgerError } from "@eventledger/core";
import { PROBLEMS, type Problem, type ProblemCode, problemType } from "@eventledger/protocol";
import { HTTPException } from "hono/http-exception";
import { lengthOf } from "./compressed.ts";

/** Tells of what went wrong without a name in the protocol, for the log. */
export type LogFailure = (failure: { requestId: string; error: unknown }) => void;

/**
 * Converts any error to an answer: `application/problem+json` (RFC 9457). An error without a
 * problem code becomes `internal` without a detail. It is logged with its cause, and none of it is
 * shown. Errors of clients are not logged here, because clients could fill the log.
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

/** The code that an error is answered with. */
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

/** A body that breaks off. No client is left to read the answer, and the log need not report it. */
const CLIENT_GONE = new LedgerError("malformed-http", {
  detail: "The connection was closed before the body was complete.",
});

/**
 * Whether reading a body failed because the client has disconnected. An error of the store's
 * connection already has a problem code here.
 */
const isClientGone = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ECONNRESET";

/** The codes of refusals by the HTTP framework itself. */
const HTTP_CODES: Partial<Record<number, ProblemCode>> = {
  400: "malformed-json",
  413: "request-too-large",
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  "malformed-json": "The body cannot be parsed as JSON.",
};

/**
 * Adapts a problem to a DELETE, whose client may only be repeating it. In that case the client has
 * nothing left to do.
 */
export function ofRepeatable(error: Error): Error {
  if (!(error instanceof LedgerError) || !error.code.endsWith("-not-found")) return error;
  const detail = `${error.detail} If this repeats a DELETE whose answer was lost, it is deleted: take that for success.`;
  return new LedgerError(error.code, { detail, errors: error.errors, facts: error.facts });
}
