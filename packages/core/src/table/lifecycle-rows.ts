import { createWriteTransaction } from "electrodb";
import { chainCount, type Epoch } from "../model/epochs.ts";
import type { Life, Tenant } from "../model/names.ts";
import type { Checkpoint } from "./checkpoint.entity.ts";
import type { Connection } from "./connection.ts";
import type { RowKinds } from "./row-kinds.ts";
import { isAtEpoch, type StreamRow } from "./stream.entity.ts";
import { transact } from "./transaction.ts";

/** Creates, extends and ends streams. Each change is one transaction, all rows or none. */
export const lifecycleRows = (connection: Connection, entities: Entities) => ({
  /**
   * Returns false when the name is taken, perhaps by an earlier attempt of this call. The caller
   * compares uids to find out.
   */
  async createStream(
    tenant: Tenant,
    life: Life,
    { archiveDays, copied: _, epochs: __, schemas: ___, ...row }: StreamRow,
    checkpoint: Checkpoint,
  ): Promise<boolean> {
    const partitions = Array.from({ length: row.partitions }, (_, partition) => partition);
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ stream, directory, checkpoint: checkpoints }) => [
        stream
          .create({
            ...row,
            ...(archiveDays === null ? {} : { archiveDays }),
            table: connection.table,
          })
          .commit(),
        directory.put({ tenant, name: row.name, uid: row.uid }).commit(),
        ...partitions.map((partition) =>
          checkpoints.create({ life, partition, ...checkpoint }).commit(),
        ),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Adds an epoch to a live stream that turns to it, and the checkpoints of its partitions.
   * `epochs` are the earlier ones, with their ends, and the new one. Returns false when the stream
   * has changed, perhaps by an earlier attempt of this call.
   */
  async addEpoch(
    life: Life,
    row: StreamRow,
    epochs: readonly Epoch[],
    checkpoints: readonly (Checkpoint & { readonly partition: number })[],
  ): Promise<boolean> {
    const { name, uid, growing = 0, archiveDays } = row;
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ stream, checkpoint }) => [
        stream
          .patch({ name })
          .set({ epochs, epoch: epochs.length - 1 })
          .remove(["growing"])
          .where((stored, operations) => {
            const { eq, notExists } = operations;
            const isLive = `${eq(stored.uid, uid)} AND ${eq(stored.status, "live")}`;
            const isHere = `${isAtEpoch(stored, operations, row)} AND ${eq(stored.growing, growing)}`;
            // The checkpoints say whether their partitions are archived.
            const days =
              archiveDays === null
                ? notExists(stored.archiveDays)
                : eq(stored.archiveDays, archiveDays);
            return `${isLive} AND ${isHere} AND ${days}`;
          })
          .commit(),
        // A copy of the table may have rows of an epoch that its stream lacks.
        ...checkpoints.map((each) => checkpoint.put({ life, ...each }).commit()),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Ends a life: its name no longer leads to it, and its removal is scheduled. Returns false if it
   * had ended, or has got partitions that `row` lacks.
   */
  async endStream(
    tenant: Tenant,
    life: Life,
    row: StreamRow & { readonly lockedUntil?: number },
    requestedAt: number,
  ): Promise<boolean> {
    const { name, uid, archiveKeptDays, lockedUntil } = row;
    const partitions = chainCount(row);
    const archived = {
      ...(archiveKeptDays === undefined ? {} : { isArchived: true }),
      ...(lockedUntil === undefined ? {} : { lockedUntil }),
    };
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ stream, directory, removal }) => [
        stream
          .patch({ name })
          .set({ status: "deleting" })
          .where((stored, operations) => {
            const { eq } = operations;
            const isLive = `${eq(stored.uid, uid)} AND ${eq(stored.status, "live")}`;
            return `${isLive} AND ${isAtEpoch(stored, operations, row)}`;
          })
          .commit(),
        directory.delete({ tenant, name }).commit(),
        removal.put({ life, name, uid, partitions, ...archived, requestedAt, removed: 0 }).commit(),
      ]).go(),
    );
    return reasons === undefined;
  },
});

type Entities = Pick<RowKinds, "stream" | "directory" | "checkpoint" | "removal">;
