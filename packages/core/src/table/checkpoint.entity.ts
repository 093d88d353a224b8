import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../kernel/names.ts";
import { readRows, writeRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** How far one partition has been looked at and compacted. Times are milliseconds since 1970. */
export type Checkpoint = {
  /** The first sequence that compaction has not dealt with. */
  readonly next: number;
  /** When the end of the partition was last seen; keeps the numbering safe from expiry. */
  readonly lookedAt: number;
  /** Every event published before this moment is compacted. */
  readonly compactedThrough: number;
  /** The first sequence that may still be read. */
  readonly floor: number;
  /** Events and bytes before compression below `next`. */
  readonly events: number;
  readonly bytes: number;
};

export const checkpointEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "checkpoint", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        partition: { type: "number", required: true },
        next: { type: "number", required: true },
        lookedAt: { type: "number", required: true },
        compactedThrough: { type: "number", required: true },
        floor: { type: "number", required: true },
        events: { type: "number", required: true },
        bytes: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "partition"],
            template: "STREAM#${life}#P${partition}",
            casing: "none",
          },
          sk: { field: "sk", composite: [], template: "CHECKPOINT", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const checkpointRows = (
  connection: Connection,
  entity: ReturnType<typeof checkpointEntity>,
) => ({
  /** The checkpoint, strongly consistent; undefined when the partition is gone. */
  async load(life: Life, partition: number): Promise<Checkpoint | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, partition }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /**
   * Moves the checkpoint if nobody else has: `next` must still be `from`, and `lookedAt` never
   * falls. False when another moved it or the partition is gone; then nothing is changed.
   */
  async move(
    life: Life,
    partition: number,
    from: number,
    to: Partial<Checkpoint> & Pick<Checkpoint, "lookedAt">,
  ): Promise<boolean> {
    const { rejected } = await writeRows(() =>
      entity
        .patch({ life, partition })
        .set(to)
        .where((row, { eq, lte }) => `${eq(row.next, from)} AND ${lte(row.lookedAt, to.lookedAt)}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  async remove(life: Life, partition: number): Promise<void> {
    await readRows(connection, () => entity.delete({ life, partition }).go());
  },
});
