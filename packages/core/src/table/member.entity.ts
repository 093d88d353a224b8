import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../kernel/names.ts";
import { CLOCKS_APART_MS } from "../kernel/sightings.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** A worker of a subscription, which counts as alive until `until` (milliseconds since 1970). */
export type MemberRow = { readonly consumer: string; readonly until: number };

export const memberEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "member", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        subscriptionUid: { type: "string", required: true, field: "u" },
        consumer: { type: "string", required: true, field: "c" },
        until: { type: "number", required: true, field: "e" },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "subscriptionUid"],
            template: "STREAM#${life}#SUB#${subscriptionUid}",
            casing: "none",
          },
          sk: {
            field: "sk",
            composite: ["consumer"],
            template: "MEMBER#${consumer}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

/** Rows of workers that are gone remain a while, for the store to expire. */
const KEPT_SECONDS = (3_600_000 + CLOCKS_APART_MS) / 1_000;

export const memberRows = (connection: Connection, entity: ReturnType<typeof memberEntity>) => ({
  /** All workers that were heard of lately, the dead among them, strongly consistent. */
  async list(life: Life, subscriptionUid: string): Promise<MemberRow[]> {
    const { data } = await readRows(connection, () =>
      entity.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: true }),
    );
    return data.map(({ consumer, until }) => ({ consumer, until }));
  },

  /** Doing it twice is harmless. */
  async put(life: Life, subscriptionUid: string, { consumer, until }: MemberRow): Promise<void> {
    const expiresAt = Math.ceil(until / 1_000) + KEPT_SECONDS;
    await writeRowsUntilKnown(connection, () =>
      entity.put({ life, subscriptionUid, consumer, until, expiresAt }).go(),
    );
  },

  async remove(life: Life, subscriptionUid: string, consumer: string): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      entity.delete({ life, subscriptionUid, consumer }).go(),
    );
  },
});
