import { createWriteTransaction } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import type { Connection } from "./connection.ts";
import type { toDeletion } from "./deletion.entity.ts";
import {
  BOOTSTRAP_ATTRIBUTES,
  bootstrapAttributes,
  guarded,
  hasRows,
  isOrAbsent,
  type LeaseGuard,
  type OffsetRow,
  PARKING_ATTRIBUTES,
} from "./offset.entity.ts";
import type { RowKinds } from "./row-kinds.ts";
import type { SubscriptionRow } from "./subscription.entity.ts";
import { transact, transactOnce } from "./transaction.ts";

/**
 * Creates, moves, changes and deletes subscriptions with their positions. Each change is one
 * transaction, all rows or none.
 */
export const subscriptionLifecycleRows = (connection: Connection, entities: Entities) => ({
  /**
   * Returns false when this life has a subscription of that name, perhaps because of an earlier
   * attempt of this call, or when the life has ended. A late attempt must not take the name from
   * the next life.
   */
  async createSubscription(
    life: Life,
    row: SubscriptionRow,
    offsets: readonly OffsetRow[],
  ): Promise<boolean> {
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ stream, subscription, offset }) => [
        stream
          .check({ name: row.stream })
          .where(
            (stored, { eq }) => `${eq(stored.uid, row.streamUid)} AND ${eq(stored.status, "live")}`,
          )
          .commit(),
        subscription
          .put(row)
          .where(
            (stored, { notExists, ne }) =>
              `${notExists(stored.uid)} OR ${ne(stored.streamUid, row.streamUid)}`,
          )
          .commit(),
        ...offsets.map(({ bootstrap, partition, batch, next, generation }) =>
          offset
            .put({
              life,
              subscriptionUid: row.uid,
              partition,
              batch,
              next,
              generation,
              ...bootstrapAttributes(bootstrap),
            })
            .commit(),
        ),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Moves a subscription to other positions, all of them or none. `to` replaces the rows of
   * generation `from`, and their bootstrap. At a snapshot's `end` the bootstrap must be at `scan`,
   * and its row must pass the guard. Leases stay unchanged, and no key remains parked. Returns
   * false when the subscription has moved in a different way, and "unsure" when an earlier attempt
   * of this call may have moved it.
   */
  async replaceOffsets(
    life: Life,
    subscriptionUid: string,
    from: {
      readonly generation: number;
      /** See `rows` of an offset. */
      readonly rows?: number | undefined;
      readonly end?: { readonly scan: string; readonly guard: LeaseGuard } | undefined;
    },
    to: readonly OffsetRow[],
  ): Promise<boolean | "unsure"> {
    const { generation, rows, end } = from;
    const { reasons, isRepeated } = await transactOnce(connection, () =>
      createWriteTransaction(entities, ({ offset }) =>
        to.map(({ partition, bootstrap, batch, next, generation: begun }) => {
          const present = bootstrapAttributes(bootstrap);
          const absent = BOOTSTRAP_ATTRIBUTES.filter((attribute) => !(attribute in present));
          return offset
            .patch({ life, subscriptionUid, partition })
            .set({ batch, next, generation: begun, ...present })
            .remove([...absent, ...PARKING_ATTRIBUTES])
            .where((row, operations) => {
              const same = operations.eq(row.generation, generation);
              if (partition !== 0) return same;
              const here = `${same} AND ${hasRows(row, operations, rows)}`;
              if (end === undefined) return here;
              const there = operations.eq(row.scan, end.scan);
              return `${here} AND ${there} AND ${guarded(row, operations, end.guard)}`;
            })
            .commit();
        }),
      ).go(),
    );
    return reasons === undefined || (isRepeated && "unsure");
  },

  /**
   * Adds the positions of later epochs to a subscription, if it still has `rows` and this
   * generation. Does nothing otherwise, or when they are there. Repeating the call is harmless.
   */
  async addOffsets(
    life: Life,
    subscriptionUid: string,
    { generation, rows }: Pick<OffsetRow, "generation" | "rows">,
    added: readonly Pick<OffsetRow, "partition" | "batch" | "next">[],
  ): Promise<void> {
    const all = Math.max(...added.map(({ partition }) => partition)) + 1;
    await transact(connection, () =>
      createWriteTransaction(entities, ({ offset }) => [
        offset
          .patch({ life, subscriptionUid, partition: 0 })
          .set({ rows: all })
          .where((row, operations) => {
            const same = operations.eq(row.generation, generation);
            return `${same} AND ${hasRows(row, operations, rows)}`;
          })
          .commit(),
        ...added.map((each) =>
          offset.create({ life, subscriptionUid, generation, ...each }).commit(),
        ),
      ]).go(),
    );
  },

  /**
   * Changes the settings of a subscription, and the generation of its positions if the plan does
   * so. Returns false when it no longer matches `row` and `from`, perhaps because of an earlier
   * attempt of this call.
   */
  async changeSubscription(
    life: Life,
    { stream, name, uid, configured: known = 0 }: SubscriptionRow,
    to: Pick<SubscriptionRow, "config"> & {
      readonly configured: number;
      readonly widenedIn: number | undefined;
      readonly generation: number;
    },
    from: {
      readonly generation: number;
      readonly partitions: number;
      readonly rows?: number | undefined;
    },
  ): Promise<boolean> {
    const { config, configured, widenedIn, generation } = to;
    // Only the first position carries the settings counter. Every position carries the generation.
    const rows = generation === from.generation ? 1 : from.partitions;
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ subscription, offset }) => [
        subscription
          .patch({ stream, name })
          .set({ config, configured, ...(widenedIn === undefined ? {} : { widenedIn }) })
          .remove(widenedIn === undefined ? ["widenedIn"] : [])
          .where((row, operations) => {
            const same = isOrAbsent(row.configured, operations, known);
            return `${operations.eq(row.uid, uid)} AND ${same}`;
          })
          .commit(),
        ...Array.from({ length: rows }, (_, partition) =>
          offset
            .patch({ life, subscriptionUid: uid, partition })
            .set({ generation, ...(partition === 0 ? { configured } : {}) })
            .where((row, operations) => {
              const same = operations.eq(row.generation, from.generation);
              return partition === 0 ? `${same} AND ${hasRows(row, operations, from.rows)}` : same;
            })
            .commit(),
        ),
      ]).go(),
    );
    return reasons === undefined;
  },

  /**
   * Deletes a subscription and its positions. With `deletion` it also records the deletion.
   * Repeating the call is harmless.
   */
  async removeSubscription(
    life: Life,
    { stream, name, uid }: { stream: ScopedName; name: string; uid: string },
    partitions: number,
    deletion?: ReturnType<typeof toDeletion>,
  ): Promise<void> {
    await transact(connection, () =>
      createWriteTransaction(entities, ({ subscription, offset, deletion: deletions }) => [
        ...(deletion === undefined ? [] : [deletions.put(deletion).commit()]),
        subscription
          .delete({ stream, name })
          .where((row, { eq, notExists }) => `${eq(row.uid, uid)} OR ${notExists(row.uid)}`)
          .commit(),
        ...Array.from({ length: partitions }, (_, partition) =>
          offset.delete({ life, subscriptionUid: uid, partition }).commit(),
        ),
      ]).go(),
    );
  },
});

type Entities = Pick<RowKinds, "stream" | "subscription" | "offset" | "deletion">;
