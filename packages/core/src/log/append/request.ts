import { createHash } from "node:crypto";
import type { EventAttributes } from "@eventledger/protocol";
import {
  chainCount,
  chainIn,
  chainOfNew,
  endOfChain,
  epochAt,
  type Partitioned,
  TurnReached,
} from "../../model/epochs.ts";
import type { IncomingEvent } from "../../model/event.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import type { Receipt, ReceiptPart } from "../../table/receipt.entity.ts";
import { entryOf, madeEventIds, PUNCTUATION_BYTES, sizeOf } from "../codec.ts";
import type { AppendRequest, Draft } from "./append-plan.ts";
import { expectationsOf } from "./expectation-plan.ts";

/** The result of a request, event by event in the order of the request. */
export type Published = {
  readonly events: readonly { readonly id: string; readonly sequence: number }[];
  /** The position after the request's events. Undefined for partitions that it did not touch. */
  readonly positions: readonly (Position | undefined)[];
  /** The time of publication, in milliseconds since 1970. */
  readonly publishedAt: number;
};

/** Hashes each key of a request once, and converts its events to the form of batches. */
export function planRequest(
  events: readonly IncomingEvent[],
  stream: Partitioned,
  idempotencyKey?: string,
): AppendRequest {
  const drafts = events.map((event): Draft => {
    const { key, id } = event.attributes;
    const entry = entryOf(event);
    return { ...entry, partition: chainOfNew(stream, key), key, id, bytes: sizeOf(entry) };
  });
  const expected = expectationsOf(events, drafts);
  return {
    drafts,
    partitions: [...new Set(drafts.map(({ partition }) => partition))].sort((a, b) => a - b),
    bytes: drafts.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(expected.length === 0 ? {} : { expected }),
    ...(idempotencyKey === undefined
      ? {}
      : { idempotency: { key: idempotencyKey, requestHash: hashEvents(events) } }),
  };
}

/**
 * Returns the bytes of the attributes and the data of a request, as usage counts them: without the
 * punctuation of batches.
 */
export const bytesOf = ({ drafts }: Pick<AppendRequest, "drafts">): number =>
  drafts.reduce((sum, { bytes }) => sum + bytes - PUNCTUATION_BYTES, 0);

/**
 * Returns the place of each event of a request, computed from its receipt. An earlier copy of the
 * request may have been written in another epoch. A reader that is there has read all earlier
 * epochs. Throws `TurnReached` for a receipt of an epoch that the view lacks.
 */
export function readReceipt(
  { drafts }: Pick<AppendRequest, "drafts">,
  stream: Partitioned,
  { parts, publishedAt }: Receipt,
): Published {
  const epoch = epochAt(stream, parts[0]?.partition ?? 0);
  const chains = chainCount(stream);
  if (parts.some(({ partition }) => partition >= chains)) throw new TurnReached();
  const next = new Map<number, Iterator<Numbered>>();
  for (const { partition } of parts) {
    next.set(partition, numberedIn(parts.filter((part) => part.partition === partition)));
  }
  const positions = Array.from({ length: chains }, (_, at): Position | undefined => {
    const end = at < epoch.first ? endOfChain(stream, at) : undefined;
    return end === undefined ? undefined : edgeAt(end);
  });
  for (const { partition, first, count, batchFirst } of parts) {
    positions[partition] = { batch: batchFirst, next: first + count };
  }
  return {
    events: drafts.map(({ key, id }) => {
      const numbered = next.get(chainIn(key, epoch))?.next().value;
      if (numbered === undefined)
        throw new RangeError("A receipt covers fewer events than its request");
      return { id: id ?? numbered.madeId, sequence: numbered.sequence };
    }),
    positions,
    publishedAt,
  };
}

/** The sequence of an event, and its id if its publisher gave none. */
type Numbered = { readonly sequence: number; readonly madeId: string };

function* numberedIn(parts: readonly ReceiptPart[]): Generator<Numbered, undefined> {
  for (const { first, count, batchFirst, batchId } of parts) {
    const idOf = madeEventIds(batchId);
    for (let sequence = first; sequence < first + count; sequence++) {
      yield { sequence, madeId: idOf(sequence - batchFirst) };
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
