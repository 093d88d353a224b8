import { CustomAttributeType, createWriteTransaction, Entity } from "electrodb";
import type { Archived, ArchiveProgress } from "../model/archive.ts";
import type { Life, ScopedName } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import type { checkpointEntity } from "./checkpoint.entity.ts";
import { type Connection, entityConfig } from "./connection.ts";
import type { streamEntity } from "./stream.entity.ts";
import { transact } from "./transaction.ts";

/**
 * One segment of a partition's archive: the events from `first` to below `next`, in one object.
 * Times are milliseconds since 1970, hashes are in hexadecimal.
 */
export type Segment = {
  readonly first: number;
  readonly next: number;
  /** Publication times of its first and its last event. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly events: number;
  /** The size of its lines, and of the object. */
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** The hash of the object. */
  readonly sha256: string;
  readonly object: string;
  /** Where to find an event in the object: see `packBlocks`. */
  readonly blocks: string;
  /** The chain hash of the segment before it. Empty in the first one. */
  readonly previous: string;
  /** The hash of `previous` and of everything above: see `chainHash`. */
  readonly chain: string;
  /**
   * The object that erasures have put in the place of `object`. Everything above stays as it was,
   * so that the chain does.
   */
  readonly rewritten?: Rewritten;
  /** The hash of `rewritten`, which has the proof before it: see `proofOf`. */
  readonly proof?: string;
  /** Former objects that a lock has kept so far. */
  readonly leftovers?: readonly string[];
};

/** What the row of a segment says about an object. */
export type SegmentObject = Pick<
  Segment,
  "object" | "rawBytes" | "storedBytes" | "sha256" | "blocks"
>;

/**
 * An object with erased events, and the id of the last erasure that has changed it. `before` is the
 * proof of the object before it, or the chain hash if that was the first one.
 */
export type Rewritten = SegmentObject & { readonly erasure: string; readonly before: string };

/** Returns the object from which a segment is read now. */
export function objectOf(segment: Segment): SegmentObject {
  const { object, rawBytes, storedBytes, sha256, blocks } = segment.rewritten ?? segment;
  return { object, rawBytes, storedBytes, sha256, blocks };
}

/** Returns the names of all objects that a segment may have in the bucket. */
export const allObjectsOf = ({ object, rewritten, leftovers = [] }: Segment): string[] => [
  ...new Set([object, ...leftovers, ...(rewritten === undefined ? [] : [rewritten.object])]),
];

export const segmentEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "segment", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        partition: { type: "number", required: true, field: "p" },
        first: {
          type: "number",
          required: true,
          field: "f",
          padding: { length: SEQUENCE_DIGITS, char: "0" },
        },
        next: { type: "number", required: true },
        firstAt: { type: "number", required: true },
        lastAt: { type: "number", required: true },
        events: { type: "number", required: true },
        rawBytes: { type: "number", required: true },
        storedBytes: { type: "number", required: true },
        sha256: { type: "string", required: true },
        object: { type: "string", required: true },
        blocks: { type: "string", required: true },
        previous: { type: "string", required: true },
        chain: { type: "string", required: true },
        rewritten: { type: CustomAttributeType<Rewritten>("any") },
        proof: { type: "string" },
        leftovers: { type: CustomAttributeType<readonly string[]>("any") },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "partition"],
            template: "STREAM#${life}#ARCHIVE#P${partition}",
            casing: "none",
          },
          sk: { field: "sk", composite: ["first"], template: "SEGMENT#${first}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** As many digits as in the keys of batches. */
const SEQUENCE_DIGITS = 14;

type Place = { readonly life: Life; readonly partition: number };
type Stream = { readonly name: ScopedName; readonly uid: string };
type Kinds = {
  readonly segment: ReturnType<typeof segmentEntity>;
  readonly checkpoint: ReturnType<typeof checkpointEntity>;
  readonly stream: ReturnType<typeof streamEntity>;
};

/** The rows of a partition's archive. All reads are strongly consistent. */
export const segmentRows = (connection: Connection, kinds: Kinds) => ({
  /** Returns the last segment that begins at or before a sequence. */
  async loadAtOrBefore({ life, partition }: Place, sequence: number): Promise<Segment | undefined> {
    const { data } = await readRows(connection, () =>
      kinds.segment.query
        .primary({ life, partition })
        .between({ first: 0 }, { first: sequence })
        .go({ order: "desc", limit: 1, pages: 1, consistent: true }),
    );
    return data[0];
  },

  /** Returns up to `limit` segments that begin at `first` or later, in order. One request. */
  async loadFrom(
    { life, partition }: Place,
    first: number,
    limit: number,
  ): Promise<{ segments: Segment[]; more: boolean }> {
    const { data, cursor } = await readRows(connection, () =>
      kinds.segment.query
        .primary({ life, partition })
        .gte({ first })
        .go({ limit, pages: 1, consistent: true }),
    );
    return { segments: data, more: cursor !== null };
  },

  /**
   * Puts a segment and moves the archive watermark from its beginning to its end, both or nothing.
   * Returns false when the watermark or the start of the archive is elsewhere, perhaps because of
   * an earlier attempt of this call, or when the stream is no longer archived.
   */
  async add(
    { life, partition }: Place,
    segment: Segment,
    known: Archived,
    archived: ArchiveProgress["archived"],
  ): Promise<boolean> {
    const reasons = await transact(connection, () =>
      createWriteTransaction(kinds, (each) => [
        each.segment.create({ life, partition, ...segment }).commit(),
        each.checkpoint
          .patch({ life, partition })
          .set({ archivedTo: segment.next, archived })
          .where((row, { eq, exists }) => {
            const at = `${eq(row.archivedTo, segment.first)} AND ${exists(row.archiving)}`;
            return `${at} AND ${eq(row.archivedFrom, known.archivedFrom ?? 0)}`;
          })
          .commit(),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Begins or stops archiving a partition, if the settings of the stream say so. Returns false when
   * they do not, or when the partition is no longer as `known`. Repeating the call is harmless.
   */
  async settle(
    { name, uid }: Stream,
    { life, partition }: Place,
    known: Archived,
    to: Partial<ArchiveProgress>,
  ): Promise<boolean> {
    const { archiving, ...set } = to;
    const reasons = await transact(connection, () =>
      createWriteTransaction(kinds, (each) => [
        each.stream
          .check({ name })
          .where((row, { eq, exists, notExists }) => {
            const days = archiving ? exists(row.archiveDays) : notExists(row.archiveDays);
            return `${eq(row.uid, uid)} AND ${days}`;
          })
          .commit(),
        each.checkpoint
          .patch({ life, partition })
          .set({ ...set, ...(archiving ? { archiving } : {}) })
          .remove(archiving ? ["stoppedAt"] : ["archiving"])
          .where((row, { eq, exists, notExists }) => {
            const same = eq(row.floor, known.floor);
            const at =
              known.archivedTo === undefined
                ? notExists(row.archivedTo)
                : eq(row.archivedTo, known.archivedTo);
            const before = archiving ? notExists(row.archiving) : exists(row.archiving);
            return `${same} AND ${at} AND ${before}`;
          })
          .commit(),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Moves the start of the archive past segments whose days are over, or the watermark past numbers
   * without events. Returns false when the archive has changed in the meantime, perhaps because of
   * an earlier attempt of this call.
   */
  async move(
    { life, partition }: Place,
    known: Archived,
    to: Partial<ArchiveProgress>,
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      kinds.checkpoint
        .patch({ life, partition })
        .set(to)
        .where((row, { eq }) => {
          const { archivedFrom = 0, archivedTo = 0 } = known;
          return `${eq(row.archivedTo, archivedTo)} AND ${eq(row.archivedFrom, archivedFrom)}`;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /**
   * Records the place up to which batches are removed. Without `clearedTo`, none is left to remove.
   */
  async noteCleared(
    { life, partition }: Place,
    from: number,
    to: Pick<ArchiveProgress, "clearedTo" | "clearAfter"> | undefined,
  ): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      kinds.checkpoint
        .patch({ life, partition })
        .set(to ?? {})
        .remove(to === undefined ? ["clearedTo", "clearAfter", "stoppedAt"] : [])
        .where((row, { eq, notExists }) => {
          const same = eq(row.clearedTo, from);
          return to === undefined ? `${same} AND ${notExists(row.archiving)}` : same;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /**
   * Puts another object in the place of the present one, if that is still as it was read. Returns
   * false when it is not, or the segment is gone, or an earlier attempt of this same call has done
   * it.
   */
  async rewrite(
    { life, partition }: Place,
    { first, proof }: Segment,
    to: Required<Pick<Segment, "rewritten" | "proof" | "leftovers">>,
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      kinds.segment
        .patch({ life, partition, first })
        .set(to)
        .where((row, { eq, notExists }) =>
          proof === undefined ? notExists(row.proof) : eq(row.proof, proof),
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Records that the former objects of a segment are gone, if it has not been rewritten since. */
  async forgetLeftovers({ life, partition }: Place, { first, proof }: Segment): Promise<void> {
    if (proof === undefined) return;
    await writeRowsUntilKnown(connection, () =>
      kinds.segment
        .patch({ life, partition, first })
        .remove(["leftovers"])
        .where((row, { eq }) => eq(row.proof, proof))
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /** Deletes the row of a segment. */
  async remove({ life, partition }: Place, first: number): Promise<void> {
    await readRows(connection, () => kinds.segment.delete({ life, partition, first }).go());
  },
});
