import { CustomAttributeType, Entity } from "electrodb";
import type { ChangeChunk, ChangeList } from "../model/change.ts";
import type { Life } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach, readEach } from "./in-part.ts";

/** The packed changes of a part of a list. A row is never changed. */
export type ChangesRow = {
  readonly id: string;
  readonly payload: Uint8Array;
  /** The number of bytes before compression. */
  readonly rawBytes: number;
};

/** A part as it is stored. Its members have no names, because each update pays for them. */
type StoredChunk = readonly [
  id: string,
  to: number,
  count: number,
  level: number,
  run: number,
  at: number,
];

/** Both kinds of rows of a partition are in one partition of the table. */
const CHAIN = {
  life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
  partition: { type: "number", required: true, field: "p" },
} as const;

const PARTITION_KEY = {
  field: "pk",
  composite: ["life", "partition"],
  template: "STREAM#${life}#CHANGES#P${partition}",
  casing: "none",
} as const;

export const changeListEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "changeList", version: "1", service: "eventledger" },
      attributes: {
        ...CHAIN,
        from: { type: "number", required: true, field: "f" },
        to: { type: "number", required: true, field: "n" },
        chunks: {
          type: CustomAttributeType<readonly StoredChunk[]>("any"),
          required: true,
          field: "c",
        },
        revision: { type: "string", required: true, field: "v" },
      },
      indexes: {
        primary: {
          pk: PARTITION_KEY,
          sk: { field: "sk", composite: [], template: "LIST", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const changesEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "changes", version: "1", service: "eventledger" },
      attributes: {
        ...CHAIN,
        id: { type: "string", required: true, field: "i" },
        payload: { type: CustomAttributeType<Uint8Array>("any"), required: true, field: "d" },
        rawBytes: { type: "number", required: true, field: "r" },
      },
      indexes: {
        primary: {
          pk: PARTITION_KEY,
          sk: { field: "sk", composite: ["id"], template: "CHUNK#${id}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

type Kinds = {
  readonly changeList: ReturnType<typeof changeListEntity>;
  readonly changes: ReturnType<typeof changesEntity>;
};

/** The lists of changes of partitions: one row that names the parts, and one row of each part. */
export const changeRows = (connection: Connection, kinds: Kinds) => ({
  /** Returns the list of a partition, strongly consistent. Undefined before the first listing. */
  async load(life: Life, partition: number): Promise<ChangeList | undefined> {
    const { data } = await readRows(connection, () =>
      kinds.changeList.get({ life, partition }).go({ consistent: true }),
    );
    if (data === null) return undefined;
    const { from, to, revision } = data;
    return { from, to, revision, chunks: data.chunks.map(toChunk) };
  },

  /**
   * Replaces the list if its revision is still `before`, or if there is still none. Returns false
   * otherwise. The update has a revision of its own, so it is repeated until its outcome is known.
   */
  async save(
    life: Life,
    partition: number,
    { chunks, ...list }: ChangeList,
    before: string | undefined,
  ): Promise<boolean> {
    const row = { life, partition, ...list, chunks: chunks.map(toStored) };
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      kinds.changeList
        .put(row)
        .where(({ revision }, { eq, notExists }) =>
          before === undefined ? notExists(revision) : eq(revision, before),
        )
        .go({ returnOnConditionCheckFailure: "all_old" }),
    );
    return !rejected || data?.revision === list.revision;
  },

  /** Puts the row of a part. No other row has its id, so repeating the call is harmless. */
  async put(life: Life, partition: number, row: ChangesRow): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      kinds.changes.put({ life, partition, ...row }).go(),
    );
  },

  /**
   * Returns the rows of parts, in the order of their ids, strongly consistent. Undefined for one
   * that an update of the list has replaced.
   */
  loadChunks(
    life: Life,
    partition: number,
    ids: readonly string[],
  ): Promise<(ChangesRow | undefined)[]> {
    const keys = ids.map((id) => ({ life, partition, id }));
    return readEach(connection, keys, (some) =>
      kinds.changes
        .get(some)
        .go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
  },

  /** Deletes the rows of parts that the list does not name any more. */
  async removeChunks(life: Life, partition: number, ids: readonly string[]): Promise<void> {
    const keys = ids.map((id) => ({ life, partition, id }));
    for (let at = 0; at < keys.length; at += DELETE_PAGE) {
      await deleteEach(connection, keys.slice(at, at + DELETE_PAGE), (some) =>
        kinds.changes.delete(some).go({ unprocessed: "raw" }),
      );
    }
  },

  /** Forgets the list of a partition. The next listing begins another one. */
  async forget(life: Life, partition: number): Promise<void> {
    await writeRowsUntilKnown(connection, () => kinds.changeList.delete({ life, partition }).go());
  },

  /** Deletes the list of an ended life, and rows of its parts, up to one page. */
  async deletePage(life: Life, partition: number): Promise<DeletedPage> {
    const { data } = await readRows(connection, () =>
      kinds.changes.query
        .primary({ life, partition })
        .go({ limit: DELETE_PAGE, pages: 1, consistent: true, attributes: ["id"] }),
    );
    if (data.length === 0) {
      const list = await readRows(connection, () =>
        kinds.changeList.get({ life, partition }).go({ consistent: true, attributes: ["to"] }),
      );
      if (list.data === null) return { rows: 0, more: false };
      await writeRowsUntilKnown(connection, () =>
        kinds.changeList.delete({ life, partition }).go(),
      );
      return { rows: 1, more: false };
    }
    const keys = data.map(({ id }) => ({ life, partition, id }));
    const rows = await deleteEach(connection, keys, (some) =>
      kinds.changes.delete(some).go({ unprocessed: "raw" }),
    );
    return { rows, more: true };
  },
});

const DELETE_PAGE = 25;

const toChunk = ([id, to, count, level, run, at]: StoredChunk): ChangeChunk => ({
  ...{ id, to, count, level, run, at },
});

const toStored = ({ id, to, count, level, run, at }: ChangeChunk): StoredChunk => [
  ...([id, to, count] as const),
  ...([level, run, at] as const),
];
