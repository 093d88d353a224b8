import { createWriteTransaction } from "electrodb";
import type { Life } from "../model/names.ts";
import { nothingParked, type Parking } from "../model/parking.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import type { Connection } from "./connection.ts";
import {
  type Delivery,
  guarded,
  isOrAbsent,
  type LeaseGuard,
  type OffsetRow,
  type offsetEntity,
  toOffset,
} from "./offset.entity.ts";

import { transact } from "./transaction.ts";

/** The subscription whose offset rows are read or changed. */
type OffsetOwner = { readonly life: Life; readonly subscriptionUid: string };

/**
 * Reads and writes the parked keys of a partition in its offset row. One item holds both the
 * committed offset and the parked keys, so one condition guards both.
 */
export const parkingRows = (connection: Connection, offset: ReturnType<typeof offsetEntity>) => ({
  /**
   * Changes the parked keys of several partitions at once, under the conditions of `change`.
   * Returns false when one of them has changed in the meantime, perhaps by an earlier try of this
   * call.
   */
  async changeAll(
    place: OffsetOwner,
    changes: readonly (readonly [from: OffsetRow, to: Parking])[],
  ): Promise<boolean> {
    const reasons = await transact(connection, () =>
      createWriteTransaction({ offset }, ({ offset: rows }) =>
        changes.map(([from, to]) => {
          const { partition, generation, next } = from;
          const { revision } = from.parking ?? nothingParked;
          return rows
            .patch({ ...place, partition })
            .set({ parked: to.keys, revision: to.revision })
            .set(to.releaseCount === 0 ? {} : { releaseCount: to.releaseCount })
            .set(to.skipped.length === 0 ? {} : { skipped: to.skipped })
            .remove([...(to.skipped.length === 0 ? SKIPPED : [])])
            .where((row, operations) => {
              const { eq } = operations;
              const same = `${eq(row.generation, generation)} AND ${eq(row.next, next)}`;
              return `${same} AND ${isOrAbsent(row.revision, operations, revision)}`;
            })
            .commit();
        }),
      ).go(),
    );
    return reasons === undefined;
  },

  /** Returns one partition's current row. Undefined when the subscription is gone. */
  async load(place: OffsetOwner, partition: number): Promise<OffsetRow | undefined> {
    const { data } = await readRows(connection, () =>
      offset.get({ ...place, partition }).go({ consistent: true }),
    );
    return data === null ? undefined : toOffset(data);
  },

  /**
   * Changes the parked keys, if they are still as in `from`, in the same generation, and the
   * committed offset has not moved, because the change depends on it. Returns undefined otherwise.
   * A late copy changes nothing, because revisions only grow. With `recount`, the delivery count at
   * the committed offset is discarded.
   */
  async change(
    place: OffsetOwner,
    from: OffsetRow,
    to: Parking,
    { guard, recount = false }: { guard?: LeaseGuard; recount?: boolean } = {},
  ): Promise<OffsetRow | undefined> {
    const { partition, generation, next } = from;
    const { revision, releaseCount } = from.parking ?? nothingParked;
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch({ ...place, partition })
        .set({ parked: to.keys, revision: to.revision })
        .set(to.releaseCount === releaseCount ? {} : { releaseCount: to.releaseCount })
        .set(to.skipped.length === 0 ? {} : { skipped: to.skipped })
        .remove([...(to.skipped.length === 0 ? SKIPPED : []), ...(recount ? DELIVERY : [])])
        .where((row, operations) => {
          const { eq } = operations;
          const same = eq(row.generation, generation);
          const there = eq(row.next, next);
          const unchanged = isOrAbsent(row.revision, operations, revision);
          const held = guard === undefined ? "" : ` AND ${guarded(row, operations, guard)}`;
          return `${same} AND ${there} AND ${unchanged}${held}`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" }),
    );
    if (data === null) return undefined;
    const row = toOffset(data);
    // A copy of this same request may have been carried out before.
    return !rejected || isSame(row.parking, to) ? row : undefined;
  },

  /** Records a delivery from the committed offset. Does nothing when that has moved. */
  async noteDelivery(place: OffsetOwner, from: OffsetRow, delivery: Delivery): Promise<void> {
    const { partition, generation, next } = from;
    await writeRowsUntilKnown(connection, () =>
      offset
        .patch({ ...place, partition })
        .set({ delivery })
        .where((row, { eq }) => `${eq(row.generation, generation)} AND ${eq(row.next, next)}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});

const SKIPPED = ["skipped"] as const;
const DELIVERY = ["delivery"] as const;

/**
 * The store does not keep the order of members, so the parts that distinguish two changes are
 * compared one by one.
 */
const isSame = (one: Parking | undefined, other: Parking): boolean =>
  one !== undefined && JSON.stringify(fingerprintOf(one)) === JSON.stringify(fingerprintOf(other));

const fingerprintOf = ({ revision, releaseCount, keys, skipped }: Parking) => [
  revision,
  releaseCount,
  keys.map(({ id, key, next, retrying, delivered }) => [
    id,
    key,
    next,
    retrying,
    delivered?.times,
    delivered?.limit,
  ]),
  skipped.map(({ id, sequence }) => [id, sequence]),
];
