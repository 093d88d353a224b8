import { LIMITS } from "@eventledger/protocol";
import type { StoredEvent } from "../../model/event.ts";

/**
 * An upper bound for the size of an event in a page, in any format. Its attributes are JSON, which
 * may use six bytes for one. The CloudEvents format repeats none of them, and adds its required
 * attributes.
 */
export const printedBytes = ({ data, ...attributes }: StoredEvent): number =>
  Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(attributes)) + ADDED_BYTES;

/**
 * Attribute names, a time as text, and the additions of a CloudEvent: version, source, type,
 * sequence.
 */
export const ADDED_BYTES = 400;

/**
 * Returns how many of these events fit into a page. The first one always fits: no event is as large
 * as a page, and a reader must make progress.
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
