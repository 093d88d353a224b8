import { createHash } from "node:crypto";
import type { EventAttributes } from "@eventledger/protocol";
import type { IncomingEvent } from "../../model/event.ts";
import { partitionOf } from "../../model/partition.ts";
import type { Position } from "../../model/position.ts";
import type { Receipt, ReceiptPart } from "../../table/receipt.entity.ts";
import { madeEventId, sizeOf } from "../codec.ts";
import type { AppendRequest } from "./append-plan.ts";
import { expectationsOf } from "./expectation-plan.ts";

/** The result of a request, event by event in the order of the request. */
export type Published = {
  readonly events: readonly { readonly id: string; readonly sequence: number }[];
  /** The position after the request's events. Undefined for partitions that it did not touch. */
  readonly positions: readonly (Position | undefined)[];
  /** The time of publication, in milliseconds since 1970. */
  readonly publishedAt: number;
};

/** The events of a request with their partitions: `homes[i]` is the partition of `events[i]`. */
export type PlacedEvents = {
  readonly events: readonly IncomingEvent[];
  readonly homes: readonly number[];
  readonly partitions: number;
};

/** Places events into partitions. A request's keys are hashed only here. */
export const placeEvents = (
  events: readonly IncomingEvent[],
  partitions: number,
): PlacedEvents => ({
  events,
  homes: events.map(({ attributes: { key } }) => partitionOf(key, partitions)),
  partitions,
});

/** Sorts a request's events into partitions, each in the request's order. */
export function planRequest(
  placed: PlacedEvents,
  idempotencyKey: string | undefined,
): AppendRequest {
  const { events, homes } = placed;
  const lanes = new Map<number, IncomingEvent[]>();
  const expected = expectationsOf(placed);
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    const partition = homes[index] ?? 0;
    const lane = lanes.get(partition);
    if (lane === undefined) lanes.set(partition, [event]);
    else lane.push(event);
    bytes += sizeOf(event);
  }
  return {
    lanes: [...lanes]
      .map(([partition, list]) => ({ partition, events: list }))
      .sort((a, b) => a.partition - b.partition),
    bytes,
    ...(expected.length === 0 ? {} : { expected }),
    ...(idempotencyKey === undefined
      ? {}
      : { idempotency: { key: idempotencyKey, requestHash: hashEvents(events) } }),
  };
}

/** Returns the place of each event of a request, computed from its receipt. */
export function readReceipt(
  { events, homes, partitions }: PlacedEvents,
  { parts, publishedAt }: Receipt,
): Published {
  const next = new Map<number, Iterator<Place>>();
  for (let partition = 0; partition < partitions; partition++) {
    next.set(partition, places(parts.filter((part) => part.partition === partition)));
  }
  const positions: (Position | undefined)[] = Array.from({ length: partitions });
  for (const { partition, first, count, batchFirst } of parts) {
    positions[partition] = { batch: batchFirst, next: first + count };
  }
  return {
    events: events.map(({ attributes: { id } }, index) => {
      const place = next.get(homes[index] ?? 0)?.next().value;
      if (place === undefined)
        throw new RangeError("A receipt covers fewer events than its request");
      return { id: id ?? place.madeId, sequence: place.sequence };
    }),
    positions,
    publishedAt,
  };
}

type Place = { readonly sequence: number; readonly madeId: string };

function* places(parts: readonly ReceiptPart[]): Generator<Place, undefined> {
  for (const { first, count, batchFirst, batchId } of parts) {
    for (let sequence = first; sequence < first + count; sequence++) {
      yield { sequence, madeId: madeEventId(batchId, sequence - batchFirst) };
    }
  }
  return undefined;
}

/**
 * Hashes everything that distinguishes two requests: all attributes, the exact text of all data and
 * the expectations of keys, in whatever format they arrived.
 */
function hashEvents(events: readonly IncomingEvent[]): string {
  const hash = createHash("sha256");
  for (const { attributes, data, expectedSequence } of events) {
    const head = JSON.stringify(canonical(attributes));
    hash.update(`${head.length}:${head}${data.length}:${data}`);
    if (expectedSequence !== undefined) hash.update(`?${expectedSequence};`);
  }
  return hash.digest("base64url");
}

const canonical = ({ key, type, id, time, headers }: EventAttributes) => [
  key,
  type ?? null,
  id ?? null,
  time ?? null,
  Object.entries(headers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
];
