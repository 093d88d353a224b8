import type { Tally } from "./tally.ts";

/** What the table charged, in DynamoDB's units. */
export type Capacity = { readonly read: number; readonly write: number };

/**
 * Returns the capacity units of one write: one per KiB of the larger of the two items, at least
 * one.
 */
export const writeUnits = (bytesBefore: number, bytesAfter: number): number =>
  Math.max(1, Math.ceil(Math.max(bytesBefore, bytesAfter) / 1024));

/**
 * Returns the capacity units of one read: one per 4 KiB, at least one, and half of that for an
 * eventually consistent read.
 */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);

export type CapacityReport = { readonly TableName: string; readonly CapacityUnits: number };

/**
 * Counts the units, and returns the report when the request asks for it. INDEXES in
 * ReturnConsumedCapacity is answered like TOTAL, because there is no index.
 */
export const charge = (
  tally: Tally,
  input: { readonly TableName?: string; readonly ReturnConsumedCapacity?: string | undefined },
  units: Partial<Capacity>,
): { ConsumedCapacity?: CapacityReport } => {
  const { read = 0, write = 0 } = units;
  tally.add("capacity.read", read);
  tally.add("capacity.write", write);
  if ((input.ReturnConsumedCapacity ?? "NONE") === "NONE") return {};
  return { ConsumedCapacity: { TableName: input.TableName ?? "", CapacityUnits: read + write } };
};
