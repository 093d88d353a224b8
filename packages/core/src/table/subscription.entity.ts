import type { CreateSubscription } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import type { Life, ScopedName } from "../kernel/names.ts";
import type { Position } from "../kernel/position.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/** What a subscription was asked to be. */
export type SubscriptionConfig = Omit<CreateSubscription, "name">;

/** A subscription's row. A `streamUid` of another life of the stream means: it does not exist. */
export type SubscriptionRow = {
  readonly stream: ScopedName;
  readonly name: string;
  readonly uid: string;
  readonly streamUid: string;
  readonly config: SubscriptionConfig;
  readonly createdAt: number;
};

/** How far a subscription has committed one partition. Deleted subscriptions have none. */
export type OffsetRow = Position & { readonly partition: number; readonly generation: number };

export const subscriptionEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "subscription", version: "1", service: "eventledger" },
      attributes: {
        stream: { type: CustomAttributeType<ScopedName>("string"), required: true },
        name: { type: "string", required: true },
        uid: { type: "string", required: true },
        streamUid: { type: "string", required: true },
        config: { type: CustomAttributeType<SubscriptionConfig>("any"), required: true },
        createdAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["stream"], template: "STREAM#${stream}", casing: "none" },
          sk: { field: "sk", composite: ["name"], template: "SUB#${name}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const offsetEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "offset", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true, field: "l" },
        subscriptionUid: { type: "string", required: true, field: "u" },
        partition: { type: "number", required: true, field: "p" },
        batch: { type: "number", required: true, field: "b" },
        next: { type: "number", required: true, field: "n" },
        generation: { type: "number", required: true, field: "g" },
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
            composite: ["partition"],
            template: "OFFSET#P${partition}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

export const subscriptionRows = (
  connection: Connection,
  subscription: ReturnType<typeof subscriptionEntity>,
  offset: ReturnType<typeof offsetEntity>,
) => ({
  /** The subscription of this life of the stream, strongly consistent. */
  async load(
    stream: ScopedName,
    streamUid: string,
    name: string,
  ): Promise<SubscriptionRow | undefined> {
    const { data } = await readRows(connection, () =>
      subscription.get({ stream, name }).go({ consistent: true }),
    );
    return data?.streamUid === streamUid ? data : undefined;
  },

  /**
   * Up to `limit` of this life's subscriptions, by name, behind `after`. `next` is where the list
   * goes on, null at its end.
   */
  async list(
    stream: ScopedName,
    streamUid: string,
    limit: number,
    after: string | undefined,
  ): Promise<{ subscriptions: SubscriptionRow[]; next: string | null }> {
    const query = subscription.query.primary({ stream });
    const ranged = after === undefined ? query : query.gt({ name: after });
    const page = await readRows(connection, () => ranged.go({ limit, pages: 1, consistent: true }));
    return {
      subscriptions: page.data.filter((row) => row.streamUid === streamUid),
      next: page.cursor === null ? null : (page.data.at(-1)?.name ?? null),
    };
  },

  /** The committed positions of all partitions, strongly consistent; empty when it is gone. */
  async loadOffsets(life: Life, subscriptionUid: string): Promise<OffsetRow[]> {
    const { data } = await readRows(connection, () =>
      offset.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: true }),
    );
    return data.sort((a, b) => a.partition - b.partition);
  },

  /**
   * Moves one partition's committed position forward, within its generation. Answers the row as it
   * is afterwards and whether this call moved it; undefined when the subscription is gone. Doing it
   * twice is harmless.
   */
  async commit(
    life: Life,
    subscriptionUid: string,
    to: OffsetRow,
  ): Promise<{ moved: boolean; row: OffsetRow } | undefined> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      offset
        .patch({ life, subscriptionUid, partition: to.partition })
        .set({ next: to.next, batch: to.batch })
        .where(
          (row, { eq, lt }) => `${eq(row.generation, to.generation)} AND ${lt(row.next, to.next)}`,
        )
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" }),
    );
    return data === null ? undefined : { moved: !rejected, row: data };
  },
});
