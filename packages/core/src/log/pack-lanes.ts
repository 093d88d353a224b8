import { LIMITS } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import type { AppendRequest, PackedLane } from "./append-plan.ts";
import { type Packed, packEvents } from "./codec.ts";
import type { IncomingEvent } from "./event.ts";

/** Leaves room in an item of 400 KB for its keys and attributes. */
const CHUNK_BYTES_MAX = 350_000;

/** Leaves room in a transaction of 4 MB for keys, attributes and receipts. */
const APPEND_BYTES_MAX = 4_000_000;

/**
 * Packs the events of requests that go together, partition by partition, in the order of the
 * requests; into several chunks where one item cannot hold them. Throws `request-too-large` when
 * even compressed they exceed what one transaction takes.
 */
export function packLanes(requests: readonly AppendRequest[]): PackedLane[] {
  const events = new Map<number, IncomingEvent[]>();
  for (const { lanes } of requests) {
    for (const lane of lanes) {
      const list = events.get(lane.partition) ?? [];
      for (const event of lane.events) list.push(event);
      events.set(lane.partition, list);
    }
  }
  const packed = [...events].map(([partition, list]) => ({ partition, chunks: packChunks(list) }));
  const bytes = packed.flatMap(({ chunks }) => chunks.map(({ payload }) => payload.length));
  if (bytes.reduce((sum, each) => sum + each, 0) > APPEND_BYTES_MAX) {
    throw new LedgerError("request-too-large", {
      detail: `The events do not compress to ${APPEND_BYTES_MAX} bytes, the most that can be committed together. Publish them in smaller requests.`,
      facts: { compressedBytesMax: APPEND_BYTES_MAX, requestBytesMax: LIMITS.requestBytesMax },
    });
  }
  return packed;
}

function packChunks(events: readonly IncomingEvent[]): (Packed & { count: number })[] {
  const packed = packEvents(events);
  if (packed.payload.length <= CHUNK_BYTES_MAX || events.length === 1) {
    return [{ ...packed, count: events.length }];
  }
  const half = Math.ceil(events.length / 2);
  return [...packChunks(events.slice(0, half)), ...packChunks(events.slice(half))];
}
