import type { CreateSubscription, Start } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import {
  type Delivered,
  type PageEnd,
  type ParkedKey,
  type Parking,
  type SkippedEvent,
  stillSkipped,
} from "../model/parking.ts";
import type { Position } from "../model/position.ts";
import {
  type Bootstrap,
  COMPACTED_BUCKETS,
  formatScan,
  isPending,
  pendingBootstrap,
} from "../model/snapshot-progress.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

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

/**
 * The committed offset of a subscription in one partition. 0 means "not known before the snapshot
 * is read". Deleted subscriptions have no rows. The row of partition 0 carries the bootstrap, if
 * there is one.
 */
export type OffsetRow = Position & {
  readonly partition: number;
  readonly generation: number;
  readonly bootstrap?: Bootstrap;
  /** Absent until a worker took the partition for the first time. */
  readonly lease?: Lease;
  /** Absent until a key was parked for the first time in this generation. */
  readonly parking?: Parking;
  /** Kept only if deliveries are counted. */
  readonly delivery?: Delivery;
  /**
   * In partition 0, a copy of the counter in the subscription's row. It shows a process that reads
   * positions that its copy of the settings is old. Absent if they were never changed.
   */
  readonly configured?: number;
};

/** The last delivery from the committed offset `at`. No page since then has ended after `until`. */
export type Delivery = Delivered & {
  readonly at: number;
  readonly until: number;
  readonly pages?: readonly PageEnd[];
};

/**
 * The worker of a partition, and its expiry (milliseconds since 1970). A lease without an owner was
 * given up. The fencing token stays, and grows with the next owner.
 */
export type Lease = {
  readonly token: number;
  readonly owner: string | undefined;
  readonly until: number;
};

/**
 * The condition of a commit on the lease. A worker needs the lease that it was given, expired or
 * not, which then lasts until `until`. Without a worker, no lease may be valid at `nowMs`, except
 * one with the expiry `ended`, which counts as expired whatever its writer's clock was.
 */
export type LeaseGuard =
  | { readonly token: number; readonly until: number }
  | { readonly token: undefined; readonly nowMs: number; readonly ended?: number | undefined };

/** Returns whether a row passes the condition of a commit. */
export const passesGuard = ({ lease }: OffsetRow, guard: LeaseGuard): boolean => {
  if (guard.token !== undefined) return lease?.token === guard.token;
  return lease?.owner === undefined || lease.until <= guard.nowMs || lease.until === guard.ended;
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
        scan: { type: "string", field: "s" },
        run: { type: "string", field: "r" },
        startedAt: { type: "number", field: "t" },
        starts: { type: CustomAttributeType<readonly number[]>("any"), field: "c" },
        exactFrom: { type: CustomAttributeType<readonly number[]>("any"), field: "x" },
        token: { type: "number", field: "k" },
        owner: { type: "string", field: "o" },
        until: { type: "number", field: "e" },
        parked: { type: CustomAttributeType<readonly ParkedKey[]>("any"), field: "q" },
        revision: { type: "number", field: "w" },
        freed: { type: "number", field: "f" },
        skipped: { type: CustomAttributeType<readonly SkippedEvent[]>("any"), field: "h" },
        delivery: { type: CustomAttributeType<Delivery>("any"), field: "d" },
        configured: { type: "number", field: "v" },
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
   * Returns the committed offsets of all partitions, strongly consistent. Empty when the
   * subscription is gone.
   */
  async loadOffsets(life: Life, subscriptionUid: string): Promise<OffsetRow[]> {
    const { data } = await readRows(connection, () =>
      offset.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: true }),
    );
    return data.map(toOffset).sort((a, b) => a.partition - b.partition);
  },

  /**
   * Moves one partition's committed offset forward, within its generation. Returns the resulting
   * row and whether this call moved it. Undefined when the subscription is gone. A commit moves
   * nothing when it does not pass the guard, or when a key was freed since the page was read.
   * Repeating the call is harmless: a try with a lost answer that was carried out counts as the
   * move, while the guard passes. Otherwise another worker may have moved to the same place.
   */
  async commit(
    life: Life,
    subscriptionUid: string,
    to: OffsetRow & { readonly freed: number },
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
          const parked = isOrAbsent(row.freed, operations, to.freed);
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
          const ahead = `(${eq(row.scan, PENDING_SCAN)} OR (${further}))`;
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

/** The attributes that store a bootstrap. Attributes of absent parts are removed. */
export const BOOTSTRAP_ATTRIBUTES = ["scan", "run", "startedAt", "starts", "exactFrom"] as const;

export const bootstrapAttributes = (bootstrap: Bootstrap | undefined) => {
  if (bootstrap === undefined) return {};
  const { scan, run, startedAt, starts, exactFrom } = bootstrap;
  return isPending(bootstrap) ? { scan } : { scan, run, startedAt, starts, exactFrom };
};

/** The attributes that belong to one generation. A seek removes them. */
export const PARKING_ATTRIBUTES = ["parked", "revision", "freed", "skipped", "delivery"] as const;

/** The condition on a counter that is absent until it counts. */
export const isOrAbsent = <Name>(
  name: Name,
  { eq, notExists }: { eq(name: Name, value: number): string; notExists(name: Name): string },
  value: number,
): string => (value === 0 ? notExists(name) : eq(name, value));

/** A worker's commit renews its lease, as a poll does. */
const held = (guard: LeaseGuard) => (guard.token === undefined ? {} : { until: guard.until });

/** Returns the guard as a condition. */
export function guarded<Name>(
  row: { readonly token: Name; readonly owner: Name; readonly until: Name },
  operations: {
    eq(name: Name, value: number): string;
    lte(name: Name, value: number): string;
    notExists(name: Name): string;
  },
  guard: LeaseGuard,
): string {
  const { eq, lte, notExists } = operations;
  if (guard.token !== undefined) return eq(row.token, guard.token);
  const asSeen = guard.ended === undefined ? "" : ` OR ${eq(row.until, guard.ended)}`;
  return `(${notExists(row.owner)} OR ${lte(row.until, guard.nowMs)}${asSeen})`;
}

type StoredOffset = Omit<OffsetRow, "bootstrap" | "lease" | "parking"> & {
  [K in keyof Bootstrap]?: Bootstrap[K];
} & { readonly token?: number; readonly owner?: string; readonly until?: number } & {
  readonly parked?: readonly ParkedKey[];
  readonly revision?: number;
  readonly freed?: number;
  readonly skipped?: readonly SkippedEvent[];
};

export function toOffset(stored: StoredOffset): OffsetRow {
  const { partition, batch, next, generation, scan, token, owner, until = 0, ...rest } = stored;
  const { revision, freed = 0, parked: keys = [], delivery, configured } = rest;
  const skipped = stillSkipped({ keys, skipped: rest.skipped ?? [] }, next);
  const lease = token === undefined ? {} : { lease: { token, owner, until } };
  const parking = revision === undefined ? {} : { parking: { revision, freed, keys, skipped } };
  const counted = delivery === undefined ? {} : { delivery };
  const settings = configured === undefined ? {} : { configured };
  const offset = {
    partition,
    batch,
    next,
    generation,
    ...lease,
    ...parking,
    ...counted,
    ...settings,
  };
  if (scan === undefined) return offset;
  const { run = "", startedAt = 0, starts = [], exactFrom = [] } = rest;
  return { ...offset, bootstrap: { scan, run, startedAt, starts, exactFrom } };
}
