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
 * Answers the events of an HTTP API and of a Function URL. An answer that Lambda would refuse,
 * which no page is, becomes a problem here: it is logged as what the client gets.
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
      const error = new Error(`An answer of ${measured.bytes} bytes is more than Lambda takes`);
      measured = await toResult(
        withHeadersOf(response, toProblemResponse(error, requestId, logFailure)),
      );
      if (answered !== undefined) answered = { ...answered, status: 500, problem: "internal" };
    }
    if (answered !== undefined) onAnswered(answered);
    return measured.result;
  };
}

/** The problem, with the headers that every answer has: the request id and those for browsers. */
function withHeadersOf(answer: Response, problem: Response): Response {
  for (const [name, value] of answer.headers) {
    const keeps = !problem.headers.has(name) && !/^(content|eventledger)-|^etag$/.test(name);
    if (keeps) problem.headers.set(name, value);
  }
  return problem;
}
