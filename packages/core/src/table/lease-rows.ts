import type { Life } from "../model/names.ts";
import { writeRowsUntilKnown } from "./aws-error.ts";
import type { Connection } from "./connection.ts";
import { type OffsetRow, type offsetEntity, toOffset } from "./offset.entity.ts";

/** The place of a row, and the known token of its lease. */
type LeaseKey = {
  readonly life: Life;
  readonly subscriptionUid: string;
  readonly partition: number;
  readonly token: number;
};

/** The next owner's token, and the condition that makes the lease free. */
type Taking = {
  readonly token: number;
  readonly nowMs: number;
  readonly until: number;
  readonly ended?: number | undefined;
};

/**
 * The leases on offset rows. A row's fencing token grows whenever a worker takes the row, so that
 * requests of an earlier holder are recognised. Every method returns the resulting row, or
 * undefined when the lease is not as expected. Repeating any of them is harmless.
 */
export const leaseRows = (connection: Connection, offset: ReturnType<typeof offsetEntity>) => ({
  /** Takes a lease that was given up, has expired by `nowMs`, or has the expiry `ended`. */
  async take(
    { token: seen, ...key }: LeaseKey,
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
    // A copy of this same request may have been carried out before.
    const mine = data !== null && data.owner === owner && data.token === token;
    return data === null || (rejected && !mine) ? undefined : toOffset(data);
  },

  /** Renews a lease. */
  async renew({ token, ...key }: LeaseKey, owner: string, until: number) {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch(key)
        .set({ until })
        .where((row, { eq }) => `${eq(row.token, token)} AND ${eq(row.owner, owner)}`)
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected ? undefined : toOffset(data);
  },

  /**
   * Gives a lease up. The token stays, so the former holder may still commit the events that it has
   * received.
   */
  async giveUp({ token, ...key }: LeaseKey, owner: string): Promise<OffsetRow | undefined> {
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
