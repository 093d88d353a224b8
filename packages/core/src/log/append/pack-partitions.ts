import { LIMITS } from "@eventledger/protocol";
import { LedgerError } from "../../kernel/error.ts";
import { type Packed, packEvents } from "../codec.ts";
import { type AppendRequest, type Draft, draftsIn, type PackedPartition } from "./append-plan.ts";

/** The maximum size of a chunk. It leaves room in an item of 400 KB for the keys and attributes. */
export const CHUNK_BYTES_MAX = 350_000;

/**
 * The maximum size of the events of one append. It leaves room in a transaction of 4 MiB for keys,
 * attributes and receipts.
 */
const APPEND_BYTES_MAX = 4_000_000;

/** The maximum number of items in one transaction, chunks and receipts together. */
export const APPEND_ITEMS_MAX = 100;

/**
 * The tolerance for the parts of an evenly cut batch: each may be a little larger than its share.
 */
const CUT_BYTES = 0.9 * CHUNK_BYTES_MAX;

type Chunk = Packed & { readonly count: number };
type Cut = { readonly drafts: readonly Draft[]; readonly packed: Packed };

/**
 * Packs the events of the requests of a group, partition by partition, in the order of the
 * requests. It makes several chunks when one item cannot hold them. No two neighbours in a
 * partition would fit into one chunk, so there are at most 64 + 2 * 4,000,000 / 350,000 of them, or
 * 86. Throws `request-too-large` when the compressed events exceed the limits of one transaction.
 */
export function packPartitions(requests: readonly AppendRequest[]): PackedPartition[] {
  const partitions = new Set(requests.flatMap((request) => request.partitions));
  const packed = Array.from(partitions, (partition) => ({
    partition,
    chunks: packChunks(requests.flatMap((request) => draftsIn(request, partition))),
  }));
  const chunks = packed.flatMap((each) => each.chunks);
  const receipts = requests.filter(({ idempotency }) => idempotency !== undefined).length;
  assertOneTransaction(chunks, receipts);
  return packed;
}

function assertOneTransaction(chunks: readonly Chunk[], receipts: number): void {
  const bytes = chunks.reduce((sum, { payload }) => sum + payload.length, 0);
  if (bytes > APPEND_BYTES_MAX) {
    throw new LedgerError("request-too-large", {
      detail: `The events compress to more than ${APPEND_BYTES_MAX} bytes, the limit of one transaction. Publish them in smaller requests.`,
      facts: { compressedBytesMax: APPEND_BYTES_MAX, requestBytesMax: LIMITS.requestBytesMax },
    });
  }
  const items = chunks.length + receipts;
  if (items > APPEND_ITEMS_MAX) {
    throw new LedgerError("request-too-large", {
      detail: `The events need ${items} table items; the limit of one transaction is ${APPEND_ITEMS_MAX}. Publish them in smaller requests.`,
      facts: { items, itemsMax: APPEND_ITEMS_MAX },
    });
  }
}

function packChunks(drafts: readonly Draft[]): Chunk[] {
  const joined: Cut[] = [];
  for (const cut of cutToFit(drafts)) {
    const last = joined.at(-1);
    const both = last === undefined ? undefined : join(last, cut);
    if (both === undefined) joined.push(cut);
    else joined[joined.length - 1] = both;
  }
  return joined.map(({ drafts: { length: count }, packed }) => ({ ...packed, count }));
}

/** Cuts events that do not fit, into parts of about the same size before compression. */
function cutToFit(drafts: readonly Draft[]): Cut[] {
  const packed = packEvents(drafts);
  const bytes = packed.payload.length;
  if (bytes <= CHUNK_BYTES_MAX || drafts.length === 1) return [{ drafts, packed }];
  return cutEvenly(drafts, Math.max(2, Math.ceil(bytes / CUT_BYTES))).flatMap(cutToFit);
}

/** Returns at least two parts, none of them empty. */
function cutEvenly(drafts: readonly Draft[], parts: number): Draft[][] {
  const whole = drafts.reduce((sum, { bytes }) => sum + bytes, 0);
  const cuts: Draft[][] = [[]];
  let before = 0;
  for (const [index, draft] of drafts.entries()) {
    const isLast = index === drafts.length - 1;
    const due = before >= (whole * cuts.length) / parts || (isLast && cuts.length === 1);
    if (due && index > 0) cuts.push([]);
    cuts.at(-1)?.push(draft);
    before += draft.bytes;
  }
  return cuts;
}

/** Joins two neighbours if one item can hold both. */
function join(a: Cut, b: Cut): Cut | undefined {
  if (a.packed.payload.length + b.packed.payload.length > CHUNK_BYTES_MAX) return undefined;
  const drafts = [...a.drafts, ...b.drafts];
  const packed = packEvents(drafts);
  return packed.payload.length > CHUNK_BYTES_MAX ? undefined : { drafts, packed };
}
