import type { Key } from "./key.ts";

export type OperationName =
  | "get"
  | "query"
  | "batchGet"
  | "transactGet"
  | "put"
  | "update"
  | "delete"
  | "batchWrite"
  | "transactWrite";

/** A request that was understood, ready to be carried out: now, later, twice or never. */
export type Operation = {
  readonly name: OperationName;
  /** The keys it names; for a query none. */
  readonly keys: readonly Key[];
  /** For logs: what a query looks for. */
  readonly range?: string;
  /**
   * Takes effect from here on. Throws the error that DynamoDB would reply.
   * @param partial gives back a random part of a batch unprocessed, or ends a query's page early
   */
  readonly start: (partial?: boolean) => Running;
};

/** Between start and finish time may pass. */
export type Running = {
  /** Effects still to come, each at its own moment, in any order, all of them. */
  readonly parts: readonly (() => void)[];
  /** The reply. */
  readonly finish: () => unknown;
};

/** Whether it only reads. */
export const isRead = (name: OperationName): boolean =>
  name === "get" || name === "query" || name === "batchGet" || name === "transactGet";
