import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../kernel/names.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * The latest event of one key. `payload` is a packed batch of that one event; a tombstone is kept as
 * `deleted`, without a payload, until `expiresAt` (seconds since 1970).
 */
export type CompactedRow = {
  readonly key: string;
  readonly bucket: number;
  readonly partition: number;
  readonly sequence: number;
  readonly publishedAt: number;
  readonly deleted?: true;
  readonly payload?: Uint8Array;
  readonly rawBytes: number;
  readonly expiresAt?: number;
};

/** How many item collections the compacted state of a stream is spread over. */
export const COMPACTED_BUCKETS = 16;

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
