import { unpackBatch } from "../log/codec.ts";
import { parseBlocks, unpackBlocks } from "../log/cold/blocks.ts";
import { chainsOfKey, type Partitioned } from "../model/epochs.ts";
import { hasPayload, type StoredEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import { bucketOf } from "../model/partition.ts";
import type { Objects } from "../objects/objects.ts";
import { isLast } from "../table/batch.ts";
import type { ErasedChain, ErasureRow } from "../table/erasure.entity.ts";
import { objectOf } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import { isOf } from "./erase-rows.ts";

type Deps = { readonly table: Table; readonly objects: Objects };

/** A place in the walk: in a partition of the key, from a sequence on, in the table or archive. */
export type ErasureCheckPlace = {
  readonly chain: number;
  readonly tier: "table" | "archive";
  readonly at: number;
};

/** Something that the erasure should have taken away. */
export type ErasureLeak = {
  readonly where: "table" | "archive" | "state";
  readonly sequence: number;
};

/** The result of a walk. Without `place` it has reached the end, or a leak. */
export type ErasureCheck = {
  readonly batches: number;
  readonly segments: number;
  /** Erased events, once for the table and once for the archive. */
  readonly erasedEvents: number;
  readonly found: ErasureLeak | undefined;
  readonly place: ErasureCheckPlace | undefined;
};

const ROWS = 100;

/**
 * Reads everything in the partitions of a key that an erasure has to rewrite, and looks for data
 * that it should have removed. It stops when `mayGoOn` returns false, but takes at least one step.
 */
export async function verifyErasure(
  deps: Deps,
  stream: Partitioned & { readonly life: Life },
  row: ErasureRow,
  from: ErasureCheckPlace,
  mayGoOn: () => boolean,
): Promise<ErasureCheck> {
  const { life } = stream;
  const { key, chains = everyChain(stream, row.key) } = row;
  const total = { batches: 0, segments: 0, erasedEvents: 0 };
  const state = await staleState(deps, life, row);
  if (state !== undefined) return { ...total, found: state, place: undefined };
  let place: ErasureCheckPlace = from;
  for (;;) {
    const chain = chains[place.chain];
    if (chain === undefined) return { ...total, found: undefined, place: undefined };
    const step: Step = await (place.tier === "table" ? checkRows : checkSegment)(
      deps,
      life,
      chain,
      place.at,
      key,
    );
    total.batches += step.batches ?? 0;
    total.segments += step.segments ?? 0;
    total.erasedEvents += step.erasedEvents;
    if (step.leak !== undefined) {
      const found = { where: place.tier, sequence: step.leak };
      return { ...total, found, place: undefined };
    }
    place = placeAfter(place, step.next);
    if (!mayGoOn() && chains[place.chain] !== undefined)
      return { ...total, found: undefined, place };
  }
}

type Step = {
  readonly batches?: number;
  readonly segments?: number;
  readonly erasedEvents: number;
  readonly leak: number | undefined;
  /** Where the next step begins. Undefined when this part of the partition is through. */
  readonly next: number | undefined;
};

function placeAfter({ chain, tier }: ErasureCheckPlace, next: number | undefined) {
  if (next !== undefined) return { chain, tier, at: next };
  return tier === "table"
    ? ({ chain, tier: "archive", at: 0 } as const)
    : ({ chain: chain + 1, tier: "table", at: 0 } as const);
}

/** Without a tombstone, nothing is erased so far. */
const everyChain = (stream: Partitioned, key: string): ErasedChain[] =>
  chainsOfKey(stream, key).map((partition) => ({ partition, until: Number.MAX_SAFE_INTEGER }));

async function staleState(
  { table }: Deps,
  life: Life,
  { key, tombstone = 0 }: ErasureRow,
): Promise<ErasureLeak | undefined> {
  const state = await table.compacted.loadLast(life, bucketOf(key), key);
  if (state === undefined || state.deleted || state.sequence > tombstone) return undefined;
  return { where: "state", sequence: state.sequence };
}

async function checkRows(
  { table }: Deps,
  life: Life,
  { partition, until }: ErasedChain,
  at: number,
  key: string,
): Promise<Step> {
  const page = await table.batches.loadFrom(life, partition, at, ROWS);
  let [batches, erasedEvents] = [0, 0];
  for (const batch of page.batches) {
    if (batch.first >= until || isLast(batch)) {
      return { batches, erasedEvents, leak: undefined, next: undefined };
    }
    const events = count(unpackBatch(batch), isOf(key, until));
    batches++;
    erasedEvents += events.erased;
    if (events.leak !== undefined) return { batches, erasedEvents, leak: events.leak, next: 0 };
  }
  const last = page.batches.at(-1);
  const next = page.more && last !== undefined ? last.first + last.count : undefined;
  return { batches, erasedEvents, leak: undefined, next };
}

async function checkSegment(
  { table, objects }: Deps,
  life: Life,
  { partition, until }: ErasedChain,
  at: number,
  key: string,
): Promise<Step> {
  const { segments } = await table.segments.loadFrom({ life, partition }, at, 1);
  const [segment] = segments;
  const none = { segments: 0, erasedEvents: 0, leak: undefined };
  if (segment === undefined || segment.first >= until) return { ...none, next: undefined };
  const { object, storedBytes, blocks } = objectOf(segment);
  const bytes = await objects.read(object, 0, storedBytes);
  // Its days are over, or it is missing. Verifying the archive tells.
  if (bytes === undefined) return { ...none, next: segment.first + 1 };
  let erasedEvents = 0;
  const index = parseBlocks(blocks);
  for (const [number, { offset }] of index.entries()) {
    const block = bytes.subarray(offset, index[number + 1]?.offset ?? bytes.length);
    const events = count(
      unpackBlocks(block).map(({ event }) => event),
      isOf(key, until),
    );
    erasedEvents += events.erased;
    if (events.leak !== undefined) return { segments: 1, erasedEvents, leak: events.leak, next: 0 };
  }
  return { segments: 1, erasedEvents, leak: undefined, next: segment.first + 1 };
}

/** Counts the erased ones of the meant events, up to the first that is not erased. Pure. */
function count(events: readonly StoredEvent[], isMeant: (event: StoredEvent) => boolean) {
  let erased = 0;
  for (const event of events) {
    if (!isMeant(event)) continue;
    if (hasPayload(event)) return { erased, leak: event.sequence };
    if (event.erased) erased++;
  }
  return { erased, leak: undefined };
}
