import type { CreateSubscription, Start } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import {
  type Bootstrap,
  COMPACTED_BUCKETS,
  formatScan,
  pendingBootstrap,
} from "../model/snapshot-progress.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { readEach } from "./in-part.ts";
import {
  BOOTSTRAP_ATTRIBUTES,
  bootstrapAttributes,
  guarded,
  held,
  isOrAbsent,
  type LeaseGuard,
  type OffsetRow,
  type offsetEntity,
  passesGuard,
  toOffset,
} from "./offset.entity.ts";

/** The settings that a subscription was created with, or changed to. */
export type SubscriptionConfig = Omit<CreateSubscription, "name" | "start"> & {
  readonly start: Start;
};

/**
 * A subscription's row. If `streamUid` is a different life of the stream, the subscription does not
 * exist.
 */
export type SubscriptionRow = {
  readonly stream: ScopedName;
  readonly name: string;
  readonly uid: string;
  readonly streamUid: string;
  readonly config: SubscriptionConfig;
  readonly createdAt: number;
  /** The number of changes of its settings. Absent without changes. */
  readonly configured?: number;
  /**
   * The generation in which its filter was widened, so that it lets through events left out before.
   */
  readonly widenedIn?: number;
};

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
        configured: { type: "number" },
        widenedIn: { type: "number" },
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

export const subscriptionRows = (
  connection: Connection,
  subscription: ReturnType<typeof subscriptionEntity>,
  offset: ReturnType<typeof offsetEntity>,
) => ({
  /** Returns the subscription of this life of the stream, strongly consistent. */
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

  /** Returns the row of that name if it remains from an earlier life of the stream. */
  async loadStale(
    stream: ScopedName,
    streamUid: string,
    name: string,
  ): Promise<SubscriptionRow | undefined> {
    const { data } = await readRows(connection, () =>
      subscription.get({ stream, name }).go({ consistent: true }),
    );
    return data === null || data.streamUid === streamUid ? undefined : data;
  },

  /**
   * Returns up to `limit` of this life's subscriptions, by name, after `after`. `next` is where the
   * list continues, null at its end.
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

  /** Counts this life's subscriptions among the next `limit` rows. One request. */
  async countFrom(
    stream: ScopedName,
    streamUid: string,
    limit: number,
    after: string | undefined,
  ): Promise<{ count: number; next: string | null }> {
    const query = subscription.query.primary({ stream });
    const ranged = after === undefined ? query : query.gt({ name: after });
    const { data, cursor } = await readRows(connection, () =>
      ranged.go({ limit, pages: 1, consistent: true, attributes: ["name", "streamUid"] }),
    );
    const count = data.filter((row) => row.streamUid === streamUid).length;
    return { count, next: cursor === null ? null : (data.at(-1)?.name ?? null) };
  },

  /**
   * Returns the committed offsets of all partitions, strongly consistent unless they are only
   * `glimpsed`. A glimpse costs half as much, and may be from a moment ago. Empty when the
   * subscription is gone.
   */
  async loadOffsets(
    life: Life,
    subscriptionUid: string,
    { glimpsed = false }: { readonly glimpsed?: boolean } = {},
  ): Promise<OffsetRow[]> {
    const { data } = await readRows(connection, () =>
      offset.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: !glimpsed }),
    );
    return data.map(toOffset).sort((a, b) => a.partition - b.partition);
  },

  /**
   * Returns the committed offsets of several subscriptions, in the order of their uids, strongly
   * consistent. A row that is gone is left out. A request for every hundred rows.
   */
  async loadOffsetsOf(
    life: Life,
    uids: readonly string[],
    partitions: readonly number[],
  ): Promise<OffsetRow[][]> {
    const keys = uids.flatMap((subscriptionUid) =>
      partitions.map((partition) => ({ life, subscriptionUid, partition })),
    );
    const rows = await readEach(connection, keys, (some) =>
      offset.get(some).go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
    return uids.map((_, at) =>
      rows
        .slice(at * partitions.length, (at + 1) * partitions.length)
        .flatMap((row) => (row === undefined ? [] : [toOffset(row)])),
    );
  },

  /**
   * Moves one partition's committed offset forward, within its generation. Returns the resulting
   * row and whether this call moved it. Undefined when the subscription is gone. A commit moves
   * nothing when it does not pass the guard, or when a key was released since the page was read.
   * Repeating the call is harmless. If an attempt was carried out and its answer was lost, it
   * counts as the move while the guard passes. If the guard does not pass, another worker may have
   * moved to the same place.
   */
  async commit(
    life: Life,
    subscriptionUid: string,
    to: OffsetRow & { readonly releaseCount: number },
    guard: LeaseGuard,
  ): Promise<{ moved: boolean; row: OffsetRow } | undefined> {
    let sent = 0;
    const { rejected, data } = await writeRowsUntilKnown(connection, () => {
      sent++;
      return offset
        .patch({ life, subscriptionUid, partition: to.partition })
        .set({ next: to.next, batch: to.batch, ...held(guard) })
        .where((row, operations) => {
          const { eq, lt } = operations;
          const ahead = `${eq(row.generation, to.generation)} AND ${lt(row.next, to.next)}`;
          const parked = isOrAbsent(row.releaseCount, operations, to.releaseCount);
          return `${ahead} AND ${parked} AND ${guarded(row, operations, guard)}`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" });
    });
    if (data === null) return undefined;
    const row = toOffset(data);
    const isThere = row.generation === to.generation && row.next === to.next;
    return { moved: !rejected || (sent > 1 && isThere && passesGuard(row, guard)), row };
  },

  /**
   * Commits the progress in a snapshot: from the row's own snapshot to a later place, or the first
   * place of any snapshot. Moves nothing when a different snapshot, a different generation or a
   * later place is committed, or when the guard does not pass. Undefined when the subscription is
   * gone. Repeating the call is harmless.
   */
  async commitScan(
    life: Life,
    subscriptionUid: string,
    generation: number,
    bootstrap: Bootstrap,
    guard: LeaseGuard,
  ): Promise<{ moved: boolean; row: OffsetRow } | undefined> {
    const { run, scan } = bootstrap;
    let sent = 0;
    const { rejected, data } = await writeRowsUntilKnown(connection, () => {
      sent++;
      return offset
        .patch({ life, subscriptionUid, partition: 0 })
        .set({ ...bootstrapAttributes(bootstrap), ...held(guard) })
        .where((row, operations) => {
          const { eq, lt } = operations;
          const further = `${eq(row.run, run)} AND ${lt(row.scan, scan)}`;
          const pending = `${eq(row.scan, PENDING_SCAN)} OR ${eq(row.run, pendingBootstrap.run)}`;
          const ahead = `(${pending} OR (${further}))`;
          const present = `${eq(row.generation, generation)} AND ${ahead}`;
          return `${present} AND ${guarded(row, operations, guard)}`;
        })
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" });
    });
    if (data === null) return undefined;
    const row = toOffset(data);
    const at = row.generation === generation ? row.bootstrap : undefined;
    const isThere = at?.run === run && at.scan === scan;
    return { moved: !rejected || (sent > 1 && isThere && passesGuard(row, guard)), row };
  },

  /** Removes a bootstrap whose snapshot is read and whose remaining events are committed. */
  async endBootstrap(life: Life, subscriptionUid: string, generation: number): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      offset
        .patch({ life, subscriptionUid, partition: 0 })
        .remove([...BOOTSTRAP_ATTRIBUTES])
        .where((row, { eq }) => `${eq(row.generation, generation)} AND ${eq(row.scan, SCANNED)}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});

const SCANNED = formatScan(COMPACTED_BUCKETS);
const PENDING_SCAN = pendingBootstrap.scan;
