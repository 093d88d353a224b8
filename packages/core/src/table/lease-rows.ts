import type { Life } from "../model/names.ts";
import { writeRowsUntilKnown } from "./aws-error.ts";
import type { Connection } from "./connection.ts";
import { type OffsetRow, type offsetEntity, toOffset } from "./subscription.entity.ts";

/** Which row, and what is known of its lease. */
type Place = {
  readonly life: Life;
  readonly subscriptionUid: string;
  readonly partition: number;
  readonly token: number;
};

/** The token that the next owner gets, and what makes the lease free. */
type Taking = {
  readonly token: number;
  readonly nowMs: number;
  readonly until: number;
  readonly ended?: number | undefined;
};

/**
 * The leases on offset rows. A row's fencing token grows whenever a worker takes the row, so that
 * requests of an earlier holder are recognised. All answers are the row as it is afterwards, or
 * undefined when the lease is not as it was thought to be. Doing any of it twice is harmless.
 */
export const leaseRows = (connection: Connection, offset: ReturnType<typeof offsetEntity>) => ({
  /** Takes a lease that was given up, or has expired by `nowMs`, or is as one that has `ended`. */
  async take(
    { token: seen, ...key }: Place,
    owner: string,
    { token, nowMs, until, ended }: Taking,
  ): Promise<OffsetRow | undefined> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch(key)
        .set({ owner, token, until })
        .where((row, { eq, lte, notExists }) => {
          const untouched = seen === 0 ? notExists(row.token) : eq(row.token, seen);
          const asSeen = ended === undefined ? "" : ` OR ${eq(row.until, ended)}`;
          return `${untouched} AND (${notExists(row.owner)} OR ${lte(row.until, nowMs)}${asSeen})`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" }),
    );
    // A copy of this very request may have been carried out before.
    const mine = data !== null && data.owner === owner && data.token === token;
    return data === null || (rejected && !mine) ? undefined : toOffset(data);
  },

  /** Holds a lease until later. */
  async renew({ token, ...key }: Place, owner: string, until: number) {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch(key)
        .set({ until })
        .where((row, { eq }) => `${eq(row.token, token)} AND ${eq(row.owner, owner)}`)
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toOffset(data);
  },

  /** Gives a lease up. The token stays: what the holder has received it may still commit. */
  async giveUp({ token, ...key }: Place, owner: string): Promise<OffsetRow | undefined> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch(key)
        .remove(["owner", "until"])
        .where((row, { eq }) => `${eq(row.token, token)} AND ${eq(row.owner, owner)}`)
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toOffset(data);
  },
});
