import { createWriteTransaction } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import type { Restored } from "../model/restored.ts";
import { writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import type { Batch } from "./batch.ts";
import type { Checkpoint } from "./checkpoint.entity.ts";
import type { Connection } from "./connection.ts";
import type { RowKinds } from "./row-kinds.ts";
import type { Restoring } from "./stream.entity.ts";
import { transact } from "./transaction.ts";

type Entities = Pick<RowKinds, "batch" | "checkpoint">;
type Chain = { readonly life: Life; readonly partition: number };
type Name = { readonly name: ScopedName; readonly uid: string };

/** The writes of the operation after a restore. */
export const restoreRows = (
  connection: Connection,
  entities: Entities,
  stream: RowKinds["stream"],
) => ({
  /**
   * Puts a jump where no row exists, and records it in the checkpoint, which must still be at
   * `next`: both or nothing. Returns false when another process was faster, or an earlier attempt
   * of this call. The caller reads again.
   */
  async jump(
    { life, partition }: Chain,
    jump: Batch,
    next: number,
    to: Partial<Checkpoint>,
  ): Promise<boolean> {
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ batch, checkpoint }) => [
        batch.create({ life, partition, ...jump }).commit(),
        checkpoint
          .patch({ life, partition })
          .set(to)
          .where((row, { eq }) => eq(row.next, next))
          .commit(),
      ]).go(),
    );
    return reasons === undefined;
  },

  /** Adds a checkpoint that is missing in a copy. Does nothing if it is there. */
  async addCheckpoint(life: Life, partition: number, checkpoint: Checkpoint): Promise<void> {
    await writeRows(() =>
      entities.checkpoint
        .create({ life, partition, ...checkpoint })
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /** Records the progress of the search through the receipts of a stream. */
  async note({ name, uid }: Name, restoring: Restoring): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      stream
        .patch({ name })
        .set({ restoring })
        .where((row, { eq }) => eq(row.uid, uid))
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /**
   * Marks a stream's restore as complete. Does nothing when it was already, or its life has ended.
   */
  async complete({ name, uid }: Name, restored: Restored): Promise<void> {
    const restores = restored.before.length + 1;
    await writeRows(() =>
      stream
        .patch({ name })
        .set({ restored, restores, table: connection.table })
        .remove(["restoring"])
        .where((row, { eq, notExists }) => {
          const next = restores === 1 ? notExists(row.restores) : eq(row.restores, restores - 1);
          return `${eq(row.uid, uid)} AND ${next}`;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});
