import type { ProblemCode } from "@eventledger/protocol";
import type { Metrics } from "./metrics.ts";

/**
 * The log entry of an answered request. It contains nothing of the body, the key or the query,
 * because more people read the log than the events.
 */
export type Answered = {
  readonly requestId: string;
  readonly method: string;
  /** The pattern, such as `/streams/:stream`. It is "none" when no route took the request. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly problem?: ProblemCode | undefined;
};

export const countProblems =
  (metrics: Metrics) =>
  ({ problem }: Answered): void => {
    if (problem !== undefined) metrics.count("Problems", 1, problem);
  };

/** The line of a request, in the order in which it is read. */
export function printAnswered(answered: Answered, atMs: number): string {
  const { requestId, method, route, status, ms, problem } = answered;
  const level = status >= 500 ? "ERROR" : "INFO";
  const timestamp = new Date(atMs).toISOString();
  return JSON.stringify({ timestamp, level, requestId, method, route, status, ms, problem });
}
