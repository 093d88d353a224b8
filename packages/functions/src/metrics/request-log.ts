import type { ProblemCode } from "@eventledger/protocol";
import type { Metrics } from "./metrics.ts";

/**
 * The log entry of an answered request. It contains nothing of the body, the key or the query,
 * because more people may read the log than the events.
 */
export type Answered = {
  readonly requestId: string;
  readonly method: string;
  /**
   * The pattern of the route, such as `/streams/:stream`, or "none" when no route took the request.
   */
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

/** Prints the line of a request. Its members are in the order in which an operator reads them. */
export function printAnswered(answered: Answered, atMs: number): string {
  const { requestId, method, route, status, ms, problem } = answered;
  const level = status >= 500 ? "ERROR" : "INFO";
  const timestamp = new Date(atMs).toISOString();
  return JSON.stringify({ timestamp, level, requestId, method, route, status, ms, problem });
}
