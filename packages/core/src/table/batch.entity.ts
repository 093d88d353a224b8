import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Batch, type BatchOutline, type ClaimedRun, isLast } from "./batch.ts";
import { SEQUENCE_DIGITS, sendQuery } from "./batch-wire.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach, readEach } from "./in-part.ts";

export const batchEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "batch", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        partition: { type: "number", required: true, field: "p" },
        first: {
          type: "number",
          required: true,
          field: "f",
          padding: { length: SEQUENCE_DIGITS, char: "0" },
        },
        count: { type: "number", required: true, field: "n" },
        batchId: { type: CustomAttributeType<Uint8Array>("any"), required: true, field: "b" },
        publishedAt: { type: "number", required: true, field: "t" },
        kind: { type: ["seal", "turn", "jump"] as const, field: "k" },
        rawBytes: { type: "number", required: true, field: "r" },
        payload: { type: CustomAttributeType<Uint8Array>("any"), required: true, field: "d" },
        expiresAt: { type: "number" },
        keptUntil: { type: "number", field: "u" },
        ticket: { type: "number", field: "q" },
        free: { type: "number", field: "w" },
        claims: { type: CustomAttributeType<readonly ClaimedRun[]>("any"), field: "c" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "partition"],
            template: "STREAM#${life}#P${partition}",
            casing: "none",
          },
          sk: { field: "sk", composite: ["first"], template: "SEQ#${first}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** Reads of a partition's chain. All of them are strongly consistent. */
export const batchRows = (connection: Connection, entity: ReturnType<typeof batchEntity>) => ({
  /**
   * Returns the last stored batch at or after `from`, or undefined. It may not be the end: see
   * `loadEnd`. A read is charged for the whole batch, but with one minimum where there is none. So
   * a caller that knows an end asks from there.
   */
  async loadLast(life: Life, partition: number, from = 0): Promise<BatchOutline | undefined> {
    const query = {
      life,
      partition,
      from,
      limit: 1,
      order: "desc",
      projection: "outline",
    } as const;
    const { batches } = await readRows(connection, () => sendQuery(connection, query));
    return batches[0];
  },

  /**
   * Returns the last stored batch with events, or undefined. It looks at the last four rows:
   * a jump, a turn and a seal have no events.
   */
  async loadLastEvents(life: Life, partition: number): Promise<BatchOutline | undefined> {
    const query = {
      life,
      partition,
      from: 0,
      limit: 4,
      order: "desc",
      projection: "outline",
    } as const;
    const { batches } = await readRows(connection, () => sendQuery(connection, query));
    return batches.find(({ kind }) => kind === undefined);
  },

  /**
   * Returns the batches that begin at these places, without their events, in the order of the
   * places. Undefined where none begins. A request for every hundred of them.
   */
  loadOutlinesOf: (
    life: Life,
    places: readonly { readonly partition: number; readonly first: number }[],
  ): Promise<(BatchOutline | undefined)[]> =>
    readEach(connection, places, (some) =>
      entity.get(some.map((place) => ({ life, ...place }))).go({
        preserveBatchOrder: true,
        consistent: true,
        unprocessed: "raw",
        attributes: ["partition", "first", "count", "publishedAt", "kind"],
      }),
    ),

  /** Does the same as `loadFrom`, without the events. */
  async loadOutlines(
    life: Life,
    partition: number,
    first: number,
    limit: number,
  ): Promise<{ batches: BatchOutline[]; more: boolean }> {
    const query = { life, partition, from: first, limit, projection: "outline" } as const;
    return readRows(connection, () => sendQuery(connection, query));
  },

  /**
   * Returns up to `limit` batches whose first sequence is `first` or later, in order. One request.
   */
  async loadFrom(
    life: Life,
    partition: number,
    first: number,
    limit: number,
  ): Promise<{ batches: Batch[]; more: boolean }> {
    const query = { life, partition, from: first, limit, projection: "whole" } as const;
    return readRows(connection, () => sendQuery(connection, query));
  },

  /** Returns the last stored batch whose first sequence is at most `sequence`, or undefined. */
  async loadAtOrBefore(
    life: Life,
    partition: number,
    sequence: number,
  ): Promise<Batch | undefined> {
    const { batches } = await this.loadBefore(life, partition, sequence + 1, 1);
    return batches[0];
  },

  /**
   * Returns up to `limit` batches whose first sequence is below `next`, the last first. One
   * request.
   */
  async loadBefore(
    life: Life,
    partition: number,
    next: number,
    limit: number,
  ): Promise<{ batches: Batch[]; more: boolean }> {
    const range = { life, partition, from: 0, to: next - 1, limit } as const;
    const query = { ...range, order: "desc", projection: "whole" } as const;
    return readRows(connection, () => sendQuery(connection, query));
  },

  /**
   * Replaces the events of a batch by others of the same number, if the batch is still as it was
   * read. Returns false when it is not, or is gone, or when an earlier attempt of this same call
   * has replaced them.
   */
  async replaceEvents(
    life: Life,
    partition: number,
    { first, payload }: Batch,
    to: Pick<Batch, "payload" | "rawBytes">,
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, partition, first })
        .set({ payload: to.payload, rawBytes: to.rawBytes })
        .where((row, { eq }) => eq(row.payload, payload))
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Deletes these batches, at most a page of them. Returns how many were processed. */
  deleteSome: (life: Life, partition: number, firsts: readonly number[]): Promise<number> =>
    deleteEach(
      connection,
      firsts.map((first) => ({ life, partition, first })),
      (some) => entity.delete(some).go({ unprocessed: "raw" }),
    ),

  /** Deletes stored batches, up to one page, oldest first. Seals and turns stay. */
  async deletePage(life: Life, partition: number): Promise<DeletedPage> {
    const { batches } = await this.loadFrom(life, partition, 0, DELETE_PAGE);
    const keys = batches
      .filter((batch) => !isLast(batch))
      .map(({ first }) => ({ life, partition, first }));
    const rows = await deleteEach(connection, keys, (some) =>
      entity.delete(some).go({ unprocessed: "raw" }),
    );
    return { rows, more: keys.length > 0 };
  },
});

/** The most that one BatchWriteItem deletes. */
const DELETE_PAGE = 25;
