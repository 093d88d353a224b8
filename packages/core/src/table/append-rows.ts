import { createWriteTransaction } from "electrodb";
import type { Life } from "../model/names.ts";
import { isRefusal, refusalOf } from "./aws-error.ts";
import type { Batch } from "./batch.ts";
import { sendPut } from "./batch-wire.ts";
import type { Connection } from "./connection.ts";
import type { ReceiptRow } from "./receipt.entity.ts";
import type { RowKinds } from "./row-kinds.ts";
import { sendTransaction, type Verdict } from "./transaction.ts";

/**
 * Batches at the ends of their chains, and the receipts of keyed requests. All of them are written,
 * or none.
 */
export type Append = {
  readonly life: Life;
  readonly batches: readonly { readonly partition: number; readonly batch: Batch }[];
  readonly receipts: readonly PutReceipt[];
  /**
   * The token of the content. Copies of the same content have the same token, and other contents
   * have other tokens.
   */
  readonly token: string;
};

/** A receipt to put where no row is, or in the place of the claim `replaces`. */
export type PutReceipt = ReceiptRow & { readonly replaces?: Uint8Array };

/** The existing rows that prevented the append, item by item. Undefined for an item without one. */
export type Obstacles = {
  readonly batches: readonly (Batch | undefined)[];
  readonly receipts: readonly (ReceiptRow | undefined)[];
};

export type AppendVerdict = Verdict<Obstacles>;

/**
 * Puts batches and receipts where no rows exist, in one request that is sent once. A single batch
 * uses a plain conditional put, which costs half as much as a transaction.
 */
export const appendRows = (connection: Connection, kinds: Pick<RowKinds, "batch" | "receipt">) => ({
  async put(append: Append): Promise<AppendVerdict> {
    const [only, ...others] = append.batches;
    if (only !== undefined && others.length === 0 && append.receipts.length === 0) {
      return putBatch(connection, append.life, only.partition, only.batch);
    }
    const verdict = await sendTransaction(() =>
      createWriteTransaction(
        { batch: kinds.batch, receipt: kinds.receipt },
        ({ batch, receipt }) => [
          ...append.batches.map((item) =>
            batch
              .create({ life: append.life, partition: item.partition, ...item.batch })
              .commit({ response: "all_old" }),
          ),
          ...append.receipts.map(({ replaces, ...row }) =>
            replaces === undefined
              ? receipt.create({ life: append.life, ...row }).commit({ response: "all_old" })
              : receipt
                  .put({ life: append.life, ...row })
                  .where(({ claimId }, { eq }) => eq(claimId, replaces))
                  .commit({ response: "all_old" }),
          ),
        ],
      ).go({ token: append.token }),
    );
    if (verdict.kind !== "cancelled") return verdict;
    const items = verdict.reasons.map(({ code, item }) =>
      code === "ConditionalCheckFailed" ? item : undefined,
    );
    return {
      kind: "cancelled",
      batches: items.slice(0, append.batches.length) as (Batch | undefined)[],
      receipts: items.slice(append.batches.length) as (ReceiptRow | undefined)[],
    };
  },
});

async function putBatch(
  connection: Connection,
  life: Life,
  partition: number,
  batch: Batch,
): Promise<AppendVerdict> {
  try {
    const refused = await sendPut(connection, life, partition, batch);
    if (refused === undefined) return { kind: "written" };
    return { kind: "cancelled", batches: [refused.obstacle], receipts: [] };
  } catch (error) {
    if (isRefusal(error)) throw refusalOf(error);
    return { kind: "unknown", cause: error };
  }
}
