import { LIMITS } from "@eventledger/protocol";
import type { StoredEvent } from "../../model/event.ts";

/**
 * The most that an event takes in a page, in any of its forms. Its attributes are JSON, where one
 * byte may take six. As a CloudEvent it repeats none of them, and adds what it must have.
 */
export const printedBytes = ({ data, ...attributes }: StoredEvent): number =>
  Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(attributes)) + ADDED_BYTES;

/** Names, a time in text, and what a CloudEvent has beside: version, source, type, its sequence. */
export const ADDED_BYTES = 400;

/**
 * How many of these events a page can hold. Always the first: no event is as large as a page, and a
 * reader must get on.
 */
export function fittingCount(
  events: readonly StoredEvent[],
  bytesMax: number = LIMITS.pageBytesMax,
): number {
  let bytes = 0;
  const over = events.findIndex((event) => {
    bytes += printedBytes(event);
    return bytes > bytesMax;
  });
  return over === -1 ? events.length : Math.max(1, over);
}
