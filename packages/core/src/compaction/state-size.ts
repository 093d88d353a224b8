import { bucketOf } from "../model/partition.ts";
import { publishedBytes } from "../model/usage.ts";
import type { Checkpoint, Recount } from "../table/checkpoint.entity.ts";
import type { CompactedRow, Version } from "../table/compacted-row.ts";
import { TOMBSTONE_KEEP_MS } from "./compaction-plan.ts";
import type { SafePoint, Section } from "./section.ts";

/**
 * The size of the compacted state of a partition: the attributes and data of the last version below
 * the checkpoint of each key, in bytes. The log alone decides it. A key whose versions are in
 * partitions of several epochs counts in the last of these, less its size in the ones before. So a
 * partition can have a size below zero, and the sum over all partitions is that of the stream.
 * Undefined when it is unknown. Pure.
 */
export function stateSizeOf({
  usage = [],
  events,
  recount,
}: Pick<Checkpoint, "usage" | "events" | "recount">): number | undefined {
  if (recount !== undefined) return undefined;
  const last = usage.at(-1);
  return last === undefined && events === 0 ? 0 : last?.[4];
}

/** Returns the size of a version in a compacted state. */
export const stateBytes = (rawBytes: number): number => publishedBytes(rawBytes, 1);

/**
 * How long a partition may wait for its compaction until its tombstones may be gone, and with them
 * the sizes of the versions that they replaced.
 */
const WAIT_MAX_MS = TOMBSTONE_KEEP_MS / 2;

type Kept = Pick<CompactedRow, "sequence" | "rawBytes" | "between"> & {
  readonly formerBytes: number | undefined;
};

/**
 * Follows the size of a compacted state along a section of the log, from the sizes of the versions
 * that its rows replace.
 */
export function followState(
  checkpoint: Checkpoint,
  section: Pick<Section, "latest">,
  nowMs: number,
) {
  const kept = new Map<string, Kept>();
  const late = nowMs - checkpoint.compactedThrough > WAIT_MAX_MS;
  const size = late ? undefined : stateSizeOf(checkpoint);
  const recount = late ? undefined : openRecount(checkpoint);

  /** Returns how much the keys before a place have grown. */
  function growthAt(
    { to, keys }: Pick<SafePoint, "to" | "keys">,
    isMeant: (key: string) => boolean,
  ): number | undefined {
    let growth = 0;
    let index = 0;
    for (const key of section.latest.keys()) {
      if (index++ === keys) break;
      const row = kept.get(key);
      if (row?.formerBytes === undefined) return undefined;
      if (isMeant(key)) growth += stateBytes(versionBelow(row, to)) - stateBytes(row.formerBytes);
    }
    return growth;
  }

  return {
    /** Notes rows that are put, and the sizes of the versions that they have replaced. */
    note(rows: readonly CompactedRow[], formerBytes: readonly (number | undefined)[]): void {
      for (const [at, { key, sequence, rawBytes, between }] of rows.entries()) {
        const versions = between === undefined ? {} : { between };
        kept.set(key, { sequence, rawBytes, ...versions, formerBytes: formerBytes[at] });
      }
    },

    /** Returns the size at a place where the checkpoint may stop. Undefined if it is unknown. */
    sizeAt(place: Pick<SafePoint, "to" | "keys">): number | undefined {
      const growth = size === undefined ? undefined : growthAt(place, () => true);
      return size === undefined || growth === undefined ? undefined : size + growth;
    },

    /** Returns the count at a place. A count that cannot go on stays as it is. */
    recountAt(place: Pick<SafePoint, "to" | "keys">): { recount?: Recount } {
      if (recount === undefined) return {};
      const growth = growthAt(place, (key) => isCounted(recount, bucketOf(key), key));
      if (growth === undefined) return {};
      return { recount: { ...recount, at: place.to, bytes: recount.bytes + growth } };
    },
  };
}

function versionBelow({ sequence, rawBytes, between = [] }: Kept, next: number): number {
  const own: readonly Version[] = [...between, [sequence, rawBytes]];
  return own.findLast(([number]) => number < next)?.[1] ?? 0;
}

/** Returns the count of a checkpoint, unless the checkpoint has been moved without it. */
export const openRecount = ({
  next,
  recount,
}: Pick<Checkpoint, "next" | "recount">): Recount | undefined =>
  recount?.at === next ? recount : undefined;

/** Returns whether a count has passed a key. Keys are in the order of their UTF-8 bytes. */
export function isCounted({ after }: Recount, bucket: number, key: string): boolean {
  if (after === undefined || bucket > after.bucket) return false;
  return bucket < after.bucket || Buffer.compare(Buffer.from(key), Buffer.from(after.key)) <= 0;
}

/** A count that has not begun. It makes a size unknown. */
export const NOT_COUNTED: Recount = { at: 0, bytes: 0 };
