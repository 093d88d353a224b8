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

/** A parsed request. It can be executed now, later, twice or never. */
export type Operation = {
  readonly name: OperationName;
  /** The keys that it names. A query names none. */
  readonly keys: readonly Key[];
  /** The range of a query, for logs. */
  readonly range?: string;
  /**
   * Starts the operation. From then on it takes effect. Throws the error that DynamoDB would reply.
   * @param partial returns a random part of a batch unprocessed, or ends a query's page early
   */
  readonly start: (partial?: boolean) => Running;
};

/** An operation that has started. Time may pass before it finishes. */
export type Running = {
  /**
   * The remaining effects. Each happens at its own moment, in any order, and all of them happen.
   */
  readonly parts: readonly (() => void)[];
  /** Returns the reply. */
  readonly finish: () => unknown;
};

/** Returns whether an operation only reads. */
export const isRead = (name: OperationName): boolean =>
  name === "get" || name === "query" || name === "batchGet" || name === "transactGet";
