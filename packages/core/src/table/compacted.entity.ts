import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../model/names.ts";
import { readRows } from "./aws-error.ts";
import type { CompactedRow, Version } from "./compacted-row.ts";
import { type CompactedRange, sendRowsQuery } from "./compacted-wire.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach, readEach } from "./in-part.ts";
import { type Checked, putIfNewer } from "./put-compacted.ts";

export const compactedEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "compacted", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        bucket: { type: "number", required: true, field: "b", padding: { length: 2, char: "0" } },
        key: { type: "string", required: true, field: "k" },
        partition: { type: "number", required: true, field: "p" },
        sequence: { type: "number", required: true, field: "s" },
        publishedAt: { type: "number", required: true, field: "t" },
        deleted: { type: CustomAttributeType<true>("boolean"), field: "x" },
        payload: { type: CustomAttributeType<Uint8Array>("any"), field: "d" },
        rawBytes: { type: "number", required: true, field: "r" },
        expiresAt: { type: "number" },
        formerBytes: { type: "number", field: "o" },
        between: { type: CustomAttributeType<readonly Version[]>("any"), field: "v" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "bucket"],
            template: "STREAM#${life}#COMPACT#${bucket}",
            casing: "none",
          },
          sk: { field: "sk", composite: ["key"], template: "KEY#${key}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const compactedRows = (
  connection: Connection,
  entity: ReturnType<typeof compactedEntity>,
) => ({
  /** See `putIfNewer`. */
  putIfNewer: (
    life: Life,
    rows: readonly CompactedRow[],
    checked: Checked,
  ): Promise<(number | undefined)[]> => putIfNewer(connection, life, rows, checked),

  /**
   * Returns up to `limit` rows of a bucket in the order of their keys, tombstones included, in one
   * request. They start after the key `after`, or at the key `from`. The read is strongly
   * consistent. Otherwise a page could miss rows put before the checkpoint moved, and lose them.
   */
  loadPage: (
    life: Life,
    bucket: number,
    range: CompactedRange,
  ): Promise<{ rows: CompactedRow[]; more: boolean }> =>
    readRows(connection, () => sendRowsQuery(connection, life, bucket, range)),

  /** Returns the row of one key, strongly consistent. This may be a tombstone while it is kept. */
  async load(life: Life, bucket: number, key: string): Promise<CompactedRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, bucket, key }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /** Returns the rows of these keys in their order, up to 100 of them, strongly consistent. */
  loadEach(
    life: Life,
    keys: readonly { readonly bucket: number; readonly key: string }[],
  ): Promise<(CompactedRow | undefined)[]> {
    const rows = keys.map((row) => ({ life, ...row }));
    return readEach(connection, rows, (some) =>
      entity.get(some).go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
  },

  /** Returns the sequence of a key's row and whether it deletes the key, strongly consistent. */
  async loadLast(
    life: Life,
    bucket: number,
    key: string,
  ): Promise<{ sequence: number; deleted: boolean } | undefined> {
    const { data } = await readRows(connection, () =>
      entity
        .get({ life, bucket, key })
        .go({ consistent: true, attributes: ["sequence", "deleted"] }),
    );
    return data === null ? undefined : { sequence: data.sequence, deleted: data.deleted === true };
  },

  /** Deletes rows of a bucket, up to one page. */
  async deletePage(life: Life, bucket: number): Promise<DeletedPage> {
    const { data } = await readRows(connection, () =>
      entity.query
        .primary({ life, bucket })
        .go({ limit: DELETE_PAGE, pages: 1, consistent: true, attributes: ["key"] }),
    );
    const keys = data.map(({ key }) => ({ life, bucket, key }));
    const rows = await deleteEach(connection, keys, (some) =>
      entity.delete(some).go({ unprocessed: "raw" }),
    );
    return { rows, more: keys.length > 0 };
  },
});

const DELETE_PAGE = 25;
