import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { EventAttributes } from "@eventledger/protocol";
import { assertInvariant, InvariantError } from "../kernel/invariant.ts";
import { hasPayload, type IncomingEvent, type RawJson, type StoredEvent } from "../model/event.ts";
import type { Batch } from "../table/batch.ts";

/**
 * The packed form of a batch. It is one line of JSON with the attributes of all events, then their
 * unchanged data texts one after the other, all of it compressed. The first byte names the codec. A
 * line entry is `[key, data length, type, id, time, headers, mark]` without trailing nulls. Lengths
 * are in UTF-16 code units, as in JavaScript's `slice`. The mark is 1 for an event that was erased,
 * and the id of the erasure for its tombstone.
 */
export type Packed = { readonly payload: Uint8Array; readonly rawBytes: number };

const PLAIN = 0;
const ZSTD = 1;

/** The maximum size of an inflated batch, whatever size the batch states. */
const INFLATED_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Packed events below this size stay as they are. Their row takes one write unit either way, and
 * packing and unpacking would take longer than everything else.
 */
const PLAIN_BYTES_MAX = 512;

/**
 * Below this size the best level costs well under a millisecond and decides between one write unit
 * and two. Above it, that level saves a tenth of the bytes and takes up to ten times as long.
 */
const SMALL_BYTES = 8 * 1024;

/** An event in the form of a batch: its line entry as JSON text, and its data. */
export type BatchEntry = { readonly head: string; readonly data: RawJson };

/** Returns the entry of an event. Its attributes are stringified only here. */
export const entryOf = ({ attributes, data, erasure }: NewEntry) => ({
  head: JSON.stringify(toHead(attributes, data.length, erasure)),
  data,
});

type NewEntry = Pick<IncomingEvent, "attributes" | "data" | "erasure">;

export function packEvents(entries: readonly BatchEntry[]): Packed {
  const line = `[${entries.map(({ head }) => head).join(",")}]\n`;
  const raw = utf8Of(line, entries.map(({ data }) => data).join(""));
  const payload =
    raw.length <= PLAIN_BYTES_MAX
      ? Buffer.concat([Buffer.of(PLAIN), raw])
      : Buffer.concat([Buffer.of(ZSTD), compress(raw)]);
  return { payload, rawBytes: raw.length };
}

/** Returns the bytes of two texts. To join and to measure long texts takes longer than this. */
function utf8Of(one: string, other: string): Buffer {
  const room = Buffer.allocUnsafe(UNIT_BYTES_MAX * (one.length + other.length));
  const end = room.write(one);
  return room.subarray(0, end + room.write(other, end));
}

/** The most bytes that a UTF-16 unit takes in UTF-8. */
const UNIT_BYTES_MAX = 3;

const compress = (raw: Buffer): Buffer =>
  zstdCompressSync(raw, {
    params: { [constants.ZSTD_c_compressionLevel]: raw.length <= SMALL_BYTES ? 9 : 1 },
  });

/**
 * An upper bound for the size of an event in a batch before compression, so that no batch outgrows
 * its cap.
 */
export const sizeOf = ({ head, data }: BatchEntry): number =>
  Buffer.byteLength(head) + Buffer.byteLength(data) + PUNCTUATION_BYTES;

/** A line of one entry has two brackets and a line break. Each further entry has a comma. */
export const PUNCTUATION_BYTES = 3;

/**
 * Returns the events of a stored batch, in order. Throws an InvariantError for a damaged batch: it
 * must inflate to exactly its stated size, within the cap, and hold exactly the stated number of
 * events.
 */
export function unpackBatch(batch: Batch): StoredEvent[] {
  if (batch.kind === "jump") return [];
  try {
    return readEvents(inflate(batch), batch);
  } catch (error) {
    throw new InvariantError(`batch ${batch.first} cannot be read: ${reasonOf(error)}`);
  }
}

/**
 * Returns a batch with the headers and the data of some of its events erased. Everything else of
 * these events, and of the others, is byte for byte as before. Undefined when there is nothing to
 * erase. Throws an InvariantError for a damaged batch.
 */
export function eraseInBatch(
  batch: Batch,
  isMeant: (event: StoredEvent) => boolean,
): Packed | undefined {
  const events = unpackBatch(batch);
  if (!events.some((event) => hasPayload(event) && isMeant(event))) return undefined;
  const raw = inflate(batch);
  const lineEnd = raw.indexOf("\n");
  const heads: Head[] = JSON.parse(raw.slice(0, lineEnd));
  const entries = events.map((event, index): BatchEntry => {
    const head = heads[index];
    assertInvariant(head !== undefined, "it holds what it counts");
    if (!(hasPayload(event) && isMeant(event))) {
      return { head: JSON.stringify(head), data: event.data };
    }
    const [key, , type = null, id = null, time = null] = head;
    const erased: Head = [key, NULL.length, type, id, time, null, ERASED];
    return { head: JSON.stringify(erased), data: NULL };
  });
  return packEvents(entries);
}

const NULL = "null" as RawJson;

/**
 * Returns the reason of an error for the log. It contains only names and fixed words, because
 * parsers quote their input in errors.
 */
function reasonOf(error: unknown): string {
  if (error instanceof InvariantError) return error.message;
  const { name, code = "" } = error as NodeJS.ErrnoException;
  return `${name} ${code}`.trim();
}

function readEvents(raw: string, batch: Batch): StoredEvent[] {
  const lineEnd = raw.indexOf("\n");
  const heads: Head[] = JSON.parse(raw.slice(0, lineEnd));
  assertInvariant(heads.length === batch.count, "it holds what it counts");
  const idOf = madeEventIds(batch.batchId);
  let offset = lineEnd + 1;
  const events = heads.map((head, index) => {
    const data = raw.slice(offset, offset + head[1]) as RawJson;
    offset += head[1];
    return toStored(head, data, { batch, index, idOf });
  });
  assertInvariant(offset === raw.length, "its events fill it");
  return events;
}

/**
 * Returns a function that makes the ids of the events of a batch that have none from their
 * publisher. An id is a UUID (version 8, RFC 9562) computed from the id of the batch and the
 * event's index in it, so it needs no storage and never changes.
 */
export function madeEventIds(batchId: Uint8Array): (index: number) => string {
  const bytes = Buffer.from(batchId);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex", 0, COUNTER_AT);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ];
  const same = parts.join("-");
  const first = bytes.readUInt32BE(COUNTER_AT);
  return (index) => same + ((first + index) >>> 0).toString(16).padStart(8, "0");
}

/** The index is added to the last four bytes of a batch's id. */
const COUNTER_AT = 12;

type Head = [
  key: string,
  dataLength: number,
  type?: string | null,
  id?: string | null,
  time?: string | null,
  headers?: Record<string, string> | null,
  mark?: Mark | null,
];

type Mark = typeof ERASED | string;
const ERASED = 1;

function toHead(attributes: EventAttributes, dataLength: number, mark?: Mark): Head {
  const { key, type = null, id = null, time = null, headers = null } = attributes;
  const head: Head = [key, dataLength, type, id, time, headers, mark ?? null];
  while (head.at(-1) === null) head.pop();
  return head;
}

type Place = {
  readonly batch: Batch;
  readonly index: number;
  readonly idOf: (index: number) => string;
};

function toStored(head: Head, data: RawJson, { batch, index, idOf }: Place): StoredEvent {
  const [key, , type, id, time, headers, mark] = head;
  return {
    sequence: batch.first + index,
    publishedAt: batch.publishedAt,
    id: id ?? idOf(index),
    key,
    ...(type == null ? {} : { type }),
    ...(time == null ? {} : { time }),
    ...(headers == null ? {} : { headers }),
    ...(mark === ERASED ? { erased: true } : {}),
    ...(typeof mark === "string" ? { erasure: mark } : {}),
    data,
  };
}

function inflate({ payload, rawBytes }: Batch): string {
  assertInvariant(rawBytes <= INFLATED_BYTES_MAX, "it is within the inflated size");
  const raw = inflatePayload(payload, rawBytes);
  assertInvariant(raw.length === rawBytes, "it has the size that it states");
  return raw.toString();
}

function inflatePayload(payload: Uint8Array, bytesMax: number): Buffer {
  const body = payload.subarray(1);
  switch (payload[0]) {
    case PLAIN:
      return Buffer.from(body.buffer, body.byteOffset, body.length);
    case ZSTD:
      return zstdDecompressSync(body, { maxOutputLength: bytesMax });
    default:
      throw new InvariantError(`this version does not know codec ${payload[0]}`);
  }
}
