import { CustomAttributeType, Entity } from "electrodb";
import { type ArchiveProgress, type ArchiveTally, beginArchive } from "../model/archive.ts";
import type { Crowding } from "../model/crowding.ts";
import type { Life } from "../model/names.ts";
import type { LostRange } from "../model/restored.ts";
import type { HourTally } from "../model/usage.ts";
import { readRows, writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** The progress of checks and compaction in one partition. Times are milliseconds since 1970. */
export type Checkpoint = {
  /** The first sequence that is not compacted. */
  readonly next: number;
  /** When the end of the partition was last seen. It protects the numbering from expiry. */
  readonly checkedAt: number;
  /** Every event published before this time is compacted. */
  readonly compactedThrough: number;
  /** The first readable sequence. */
  readonly floor: number;
  /**
   * When the floor was last moved up to the retention. If that was long ago, rows above the floor
   * may have expired.
   */
  readonly floorAt: number;
  /** Events, and bytes before compression, below `next`. */
  readonly events: number;
  readonly bytes: number;
  /**
   * Sequences that the floor may not pass for a while, because a bootstrap will read on from them.
   */
  readonly pins?: readonly Pin[];
  /** Numbers that no event has or ever gets, because of restores. */
  readonly lost?: readonly LostRange[];
  /** The number of consecutive failures of compaction here. */
  readonly failures?: number;
  /** The number of tickets that writers have taken. */
  readonly tickets?: number;
  /** The published events below `next` that no row of usage has so far, by hour. */
  readonly usage?: readonly HourTally[];
  /** How much writers wait for each other, in a stream that grows by itself. */
  readonly crowding?: Crowding;
  /** The times of the last large batches below `next`: see `withBatchTimes`. */
  readonly times?: string;
  /** The count of a compacted state whose size is unknown. */
  readonly recount?: Recount;
  /** True once the rows of usage have everything that an ended life published. */
  readonly counted?: boolean;
} & Partial<ArchiveProgress>;

/**
 * How far a compacted state is counted again. `bytes` is the size of the keys up to `after`, at the
 * checkpoint `at`. If the checkpoint is elsewhere, the count begins again.
 */
export type Recount = {
  readonly at: number;
  readonly bytes: number;
  readonly after?: { readonly bucket: number; readonly key: string };
};

/** Returns the checkpoint of a partition that begins at `from`, at this time. */
export const firstCheckpoint = (
  from: number,
  { nowMs, isArchived }: { readonly nowMs: number; readonly isArchived: boolean },
): Checkpoint => ({
  ...(isArchived ? beginArchive(from) : {}),
  next: from,
  checkedAt: nowMs,
  floorAt: nowMs,
  compactedThrough: nowMs,
  floor: from,
  events: 0,
  bytes: 0,
});

/** The floor stays at `at` or below until `until`, in milliseconds since 1970. */
export type Pin = { readonly at: number; readonly until: number };

export const checkpointEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "checkpoint", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        partition: { type: "number", required: true },
        next: { type: "number", required: true },
        checkedAt: { type: "number", required: true, field: "lookedAt" },
        compactedThrough: { type: "number", required: true },
        floor: { type: "number", required: true },
        floorAt: { type: "number", required: true },
        events: { type: "number", required: true },
        bytes: { type: "number", required: true },
        pins: { type: CustomAttributeType<readonly Pin[]>("any") },
        lost: { type: CustomAttributeType<readonly LostRange[]>("any") },
        failures: { type: "number" },
        tickets: { type: "number", field: "turns" },
        times: { type: "string" },
        counted: { type: "boolean" },
        usage: { type: CustomAttributeType<readonly HourTally[]>("any") },
        crowding: { type: CustomAttributeType<Crowding>("any") },
        recount: { type: CustomAttributeType<Recount>("any") },
        archiving: { type: "boolean" },
        archivedFrom: { type: "number" },
        archivedTo: { type: "number" },
        archived: { type: CustomAttributeType<ArchiveTally>("any") },
        clearedTo: { type: "number" },
        clearAfter: { type: "number" },
        stoppedAt: { type: "number" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "partition"],
            template: "STREAM#${life}#P${partition}",
            casing: "none",
          },
          sk: { field: "sk", composite: [], template: "CHECKPOINT", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const checkpointRows = (
  connection: Connection,
  entity: ReturnType<typeof checkpointEntity>,
) => ({
  /** Returns the checkpoint, strongly consistent. Undefined when the partition is gone. */
  async load(life: Life, partition: number): Promise<Checkpoint | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, partition }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /**
   * Moves the checkpoint if no other process has moved it. `next` must still be `from`. Neither
   * `checkedAt` nor `floor` ever decreases, except for a `checkedAt` that was `seen` and cannot be
   * true. Returns false when a different process moved it or the partition is gone; nothing is
   * changed then. A move that leaves `next` in place is idempotent, so it is repeated until its
   * outcome is known. With `state`, its count must be as it was seen, too.
   */
  async move(
    life: Life,
    partition: number,
    from: number,
    to: Partial<Checkpoint> & Pick<Checkpoint, "checkedAt">,
    seen = to.checkedAt,
    state?: { readonly recount: Recount | undefined },
  ): Promise<boolean> {
    const write = () =>
      entity
        .patch({ life, partition })
        .set(to)
        .where((row, { eq, lte, notExists }) => {
          const latest = Math.max(to.checkedAt, seen);
          const here = `${eq(row.next, from)} AND ${lte(row.checkedAt, latest)}`;
          const floor = to.floor === undefined ? "" : ` AND ${lte(row.floor, to.floor)}`;
          if (state === undefined) return here + floor;
          const { recount } = state;
          const same = recount === undefined ? notExists(row.recount) : eq(row.recount, recount);
          return `${here}${floor} AND ${same}`;
        })
        .go({ returnOnConditionCheckFailure: true });
    const stays = (to.next ?? from) === from;
    const { rejected } = await (stays ? writeRowsUntilKnown(connection, write) : writeRows(write));
    return !rejected;
  },

  /**
   * Goes on with the count of a compacted state, if neither the checkpoint nor the count has moved
   * since they were seen. Without `recount`, the count ends. Returns false if something has moved.
   */
  async recount(
    life: Life,
    partition: number,
    seen: Pick<Checkpoint, "next" | "recount">,
    { usage, recount }: Pick<Checkpoint, "usage" | "recount">,
  ): Promise<boolean> {
    const { rejected } = await writeRows(() => {
      const patch = entity.patch({ life, partition }).set({ usage: usage ?? [] });
      const change = recount === undefined ? patch.remove(["recount"]) : patch.set({ recount });
      return change
        .where((row, { eq, notExists }) => {
          const same =
            seen.recount === undefined ? notExists(row.recount) : eq(row.recount, seen.recount);
          return `${eq(row.next, seen.next)} AND ${same}`;
        })
        .go({ returnOnConditionCheckFailure: true });
    });
    return !rejected;
  },

  /**
   * Moves the floor up, wherever compaction is by now. Compaction continues without pause, and
   * never goes back below `next`, its position when the floor was computed. The floor of an
   * archived stream does not pass the archive watermark, even if archiving began after the floor
   * was computed. Returns false when a different process has moved the floor further, the partition
   * is gone, or archiving has begun or stopped. The move is idempotent, so it is repeated until its
   * outcome is known.
   */
  async raiseFloor(
    life: Life,
    partition: number,
    { next, archiving }: { readonly next: number; readonly archiving: boolean },
    to: Pick<Checkpoint, "floor" | "floorAt">,
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, partition })
        .set(to)
        .where((row, { gte, lte, notExists }) => {
          const held = archiving ? gte(row.archivedTo, to.floor) : notExists(row.archiving);
          return `${gte(row.next, next)} AND ${lte(row.floor, to.floor)} AND ${held}`;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /**
   * Writes the pins if the checkpoint is still at `next`, and returns false otherwise. A process
   * that moves the floor either read a checkpoint no later than that of the pin, or sees the pin.
   */
  async pin(life: Life, partition: number, next: number, pins: readonly Pin[]): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, partition })
        .set({ pins })
        .where((row, { eq }) => eq(row.next, next))
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Counts a failure of compaction. Returns the number of consecutive failures. */
  async countFailure(life: Life, partition: number): Promise<number> {
    const { rejected, data } = await writeRows(() =>
      entity
        .patch({ life, partition })
        .add({ failures: 1 })
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? 0 : (data.failures ?? 0);
  },

  /** Takes the next ticket of the writers of a partition. Undefined when the partition is gone. */
  async takeTicket(life: Life, partition: number): Promise<number | undefined> {
    const { rejected, data } = await writeRows(() =>
      entity
        .patch({ life, partition })
        .add({ tickets: 1 })
        .go({ response: "updated_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : data.tickets;
  },

  async remove(life: Life, partition: number): Promise<void> {
    await readRows(connection, () => entity.delete({ life, partition }).go());
  },
});
