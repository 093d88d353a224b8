import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../kernel/names.ts";
import { readRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach } from "./in-part.ts";

/** A run of a request's events inside one stored batch. */
export type ReceiptPart = {
  readonly partition: number;
  /** The sequence of the run's first event, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** The batch they are in: event ids are made from it. */
  readonly batchFirst: number;
  readonly batchId: Uint8Array;
};

/** Where every event of a request is, partition by partition, and when it was published. */
export type Receipt = {
  readonly parts: readonly ReceiptPart[];
  readonly publishedAt: number;
};

/** What an Idempotency-Key stands for: the request it came with and what that request achieved. */
export type ReceiptRow = Receipt & {
  readonly key: string;
  readonly requestHash: string;
  readonly expiresAt: number;
};

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
  /** What a key stands for, strongly consistent; also when its time is over but the row is there. */
  async load(life: Life, key: string): Promise<ReceiptRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, key }).go({ consistent: true }),
    );
    return data ?? undefined;
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
