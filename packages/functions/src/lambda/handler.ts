import type { Hono } from "hono";
import type { AppEnv } from "../http/env.ts";
import { type LogFailure, toProblemResponse } from "../http/problem.ts";
import type { Answered } from "../metrics/request-log.ts";
import type { HttpEvent, HttpResult } from "./http-event.ts";
import { readEvent } from "./request.ts";
import { fits, toResult } from "./result.ts";

type Deps = {
  readonly app: Hono<AppEnv>;
  readonly logFailure: LogFailure;
  /** Called for every request once its final answer is known. */
  readonly onAnswered: (answered: Answered) => void;
};

/**
 * Answers the events of an HTTP API and of a Function URL. An answer that is too large for Lambda
 * becomes a problem here, and the log shows that problem. No page is that large.
 */
export function createHttpHandler({ app, logFailure, onAnswered }: Deps) {
  return async (event: HttpEvent): Promise<HttpResult> => {
    const { request, refusal } = readEvent(event);
    let answered: Answered | undefined;
    const report = (of: Answered) => {
      answered = of;
    };
    const response = await app.fetch(request, { refusal, report });
    const requestId = response.headers.get("x-request-id") ?? "";
    let measured = await toResult(response);
    if (!fits(measured)) {
      const error = new Error(`An answer of ${measured.bytes} bytes is larger than Lambda accepts`);
      measured = await toResult(
        withHeadersOf(response, toProblemResponse(error, requestId, logFailure)),
      );
      if (answered !== undefined) answered = { ...answered, status: 500, problem: "internal" };
    }
    if (answered !== undefined) onAnswered(answered);
    return measured.result;
  };
}

/** Returns the problem with the headers of every answer: the request id and those for browsers. */
function withHeadersOf(answer: Response, problem: Response): Response {
  for (const [name, value] of answer.headers) {
    const keeps = !problem.headers.has(name) && !/^(content|eventledger)-|^etag$/.test(name);
    if (keeps) problem.headers.set(name, value);
  }
  return problem;
}
