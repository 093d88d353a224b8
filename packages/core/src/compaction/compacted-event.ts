import { entryOf, packEvents, sizeOf, unpackBatch } from "../log/codec.ts";
import { isTombstone, type StoredEvent } from "../model/event.ts";
import type { CompactedRow } from "../table/compacted-row.ts";

/** Returns the payload of an event in a compacted row. `eventOf` reads it. */
export const packEvent = (event: StoredEvent) => packEvents([entryFrom(event)]);

/** Returns the event of a compacted row, exactly as in the log. Undefined for a tombstone. */
export function eventOf({ sequence, publishedAt, rawBytes, payload }: CompactedRow) {
  if (payload === undefined) return undefined;
  const batchId = new Uint8Array(16);
  const batch = { first: sequence, count: 1, batchId, publishedAt, rawBytes, payload };
  return unpackBatch(batch)[0];
}

/** Returns the size that an event has in a compacted row. */
export const rawBytesOf = (event: StoredEvent): number =>
  isTombstone(event) ? 0 : sizeOf(entryFrom(event));

function entryFrom({ key, type, id, time, headers, data }: StoredEvent) {
  const attributes = {
    key,
    id,
    ...(type === undefined ? {} : { type }),
    ...(time === undefined ? {} : { time }),
    ...(headers === undefined ? {} : { headers }),
  };
  return entryOf({ attributes, data });
}
