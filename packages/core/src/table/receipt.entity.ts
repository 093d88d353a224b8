import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../model/names.ts";
import { isRefusal, readRows, refusalOf, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach } from "./in-part.ts";

/** A run of a request's events inside one stored batch. */
export type ReceiptPart = {
  readonly partition: number;
  /** The sequence of the run's first event, and the number of events. */
  readonly first: number;
  readonly count: number;
  /** The batch that contains them. Event ids are made from it. */
  readonly batchFirst: number;
  readonly batchId: Uint8Array;
};

/** The place of every event of a request, partition by partition, and its publication time. */
export type Receipt = {
  readonly parts: readonly ReceiptPart[];
  readonly publishedAt: number;
};

/**
 * An Idempotency-Key with its request and the result of that request, or, without parts, the claim
 * that settles it.
 */
export type ReceiptRow = Receipt & {
  readonly key: string;
  readonly requestHash: string;
  readonly expiresAt: number;
} & Partial<Claim>;

/**
 * A claim is made before the events of a request are written. The batch that writes them has the
 * `claimId`, so the chain itself shows whether and where they are. They are in no batch of the
 * partition that begins below `claimFrom`, and in none of an earlier epoch.
 */
export type Claim = {
  readonly claimId: Uint8Array;
  readonly claimPartition: number;
  readonly claimFrom: number;
};

/** The outcome of a claim that was sent once. `found` is the existing row. */
export type ClaimVerdict =
  | { readonly kind: "claimed" }
  | { readonly kind: "held"; readonly found: ReceiptRow }
  | { readonly kind: "unknown"; readonly cause: unknown };

export const receiptEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "receipt", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        key: { type: "string", required: true },
        requestHash: { type: "string", required: true },
        parts: { type: CustomAttributeType<readonly ReceiptPart[]>("any"), required: true },
        publishedAt: { type: "number", required: true },
        expiresAt: { type: "number", required: true },
        claimId: { type: CustomAttributeType<Uint8Array>("any"), field: "c" },
        claimPartition: { type: "number", field: "cp" },
        claimFrom: { type: "number", field: "cf" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life"],
            template: "STREAM#${life}#PUBLISH",
            casing: "none",
          },
          sk: { field: "sk", composite: ["key"], template: "IDEMPOTENCY#${key}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const receiptRows = (connection: Connection, entity: ReturnType<typeof receiptEntity>) => ({
  /** Returns the row of a key, strongly consistent. An expired row counts while it exists. */
  async load(life: Life, key: string): Promise<ReceiptRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, key }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /**
   * Puts a claim if no row exists. With `over`, it replaces the claim with that id. Sends it once.
   * Throws only when the store refused it permanently.
   */
  async claim(life: Life, row: ReceiptRow & Claim, over?: Uint8Array): Promise<ClaimVerdict> {
    const options = { returnOnConditionCheckFailure: "all_old" } as const;
    try {
      const { rejected, data } = await (over === undefined
        ? entity.create({ life, ...row }).go(options)
        : entity
            .put({ life, ...row })
            .where(({ claimId }, { eq }) => eq(claimId, over))
            .go(options));
      if (!rejected) return { kind: "claimed" };
      if (data === null || data === undefined) return { kind: "unknown", cause: undefined };
      return { kind: "held", found: data };
    } catch (error) {
      if (isRefusal(error)) throw refusalOf(error);
      return { kind: "unknown", cause: error };
    }
  },

  /**
   * Records that no batch of a partition below `claimFrom` settles the claim, and none of an
   * earlier epoch, and extends the claim until `expiresAt`. Returns false when the row belongs to a
   * different request by now, or is gone. Repeating the call is harmless.
   */
  async advance(
    life: Life,
    { key, claimId }: { readonly key: string; readonly claimId: Uint8Array },
    to: Pick<Claim, "claimPartition" | "claimFrom"> & Pick<ReceiptRow, "expiresAt">,
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, key })
        .set(to)
        .where(
          (row, { eq, lte }) =>
            `${eq(row.claimId, claimId)} AND ${lte(row.claimFrom, to.claimFrom)}`,
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Returns a page of a life's receipts by key, after `after`. `next` is null at the end. */
  async loadPage(
    life: Life,
    after: string | undefined,
  ): Promise<{ rows: ReceiptRow[]; next: string | null }> {
    const query = entity.query.primary({ life });
    const ranged = after === undefined ? query : query.gt({ key: after });
    const { data, cursor } = await readRows(connection, () =>
      ranged.go({ pages: 1, consistent: true }),
    );
    return { rows: data, next: cursor === null ? null : (data.at(-1)?.key ?? null) };
  },

  /**
   * Deletes a receipt, unless the key now belongs to a different request. Repeating the call is
   * harmless.
   */
  async remove(life: Life, { key, requestHash, publishedAt }: ReceiptRow): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      entity
        .remove({ life, key })
        .where(
          (row, { eq }) =>
            `${eq(row.requestHash, requestHash)} AND ${eq(row.publishedAt, publishedAt)}`,
        )
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  /** Deletes a life's receipts, up to one page. */
  async deletePage(life: Life): Promise<DeletedPage> {
    const { data } = await readRows(connection, () =>
      entity.query
        .primary({ life })
        .go({ limit: DELETE_PAGE, pages: 1, consistent: true, attributes: ["key"] }),
    );
    const keys = data.map(({ key }) => ({ life, key }));
    const rows = await deleteEach(connection, keys, (some) =>
      entity.delete(some).go({ unprocessed: "raw" }),
    );
    return { rows, more: keys.length > 0 };
  },
});

const DELETE_PAGE = 25;
