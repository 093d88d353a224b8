import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../model/names.ts";
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
  type Difference,
  isPending,
  pendingBootstrap,
} from "../model/snapshot-progress.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * The committed offset of a subscription in one partition. 0 means "not known before the snapshot
 * is read". Deleted subscriptions have no rows. The row of partition 0 carries the bootstrap, if
 * there is one.
 */
export type OffsetRow = Position & {
  readonly partition: number;
  readonly generation: number;
  readonly bootstrap?: Bootstrap;
  /** Absent until a worker takes the partition for the first time. */
  readonly lease?: Lease;
  /** Absent until a key is parked for the first time in this generation. */
  readonly parking?: Parking;
  /** Kept only if deliveries are counted. */
  readonly delivery?: Delivery;
  /**
   * In partition 0, a copy of the counter in the subscription's row. It shows a process that reads
   * positions that its copy of the settings is old. Absent if they were never changed.
   */
  readonly configured?: number;
  /**
   * In partition 0, the number of rows of the subscription. Absent until rows were added for a
   * later epoch of the stream. A change of all rows has a condition on it.
   */
  readonly rows?: number;
};

/**
 * The last delivery from the committed offset `at`. Since then, no page has ended after `until`.
 */
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
 * not, which then lasts until `until`. Without a worker, there must be no lease that is valid at
 * `nowMs`. A lease with the expiry `ended` counts as expired, whatever clock its writer had.
 */
export type LeaseGuard =
  | { readonly token: number; readonly until: number }
  | { readonly token: undefined; readonly nowMs: number; readonly ended?: number | undefined };

/** Returns whether a row passes the condition of a commit. */
export const passesGuard = ({ lease }: OffsetRow, guard: LeaseGuard): boolean => {
  if (guard.token !== undefined) return lease?.token === guard.token;
  return lease?.owner === undefined || lease.until <= guard.nowMs || lease.until === guard.ended;
};

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
        difference: { type: CustomAttributeType<StoredDifference>("any"), field: "j" },
        token: { type: "number", field: "k" },
        owner: { type: "string", field: "o" },
        until: { type: "number", field: "e" },
        parked: { type: CustomAttributeType<readonly ParkedKey[]>("any"), field: "q" },
        revision: { type: "number", field: "w" },
        releaseCount: { type: "number", field: "f" },
        skipped: { type: CustomAttributeType<readonly SkippedEvent[]>("any"), field: "h" },
        delivery: { type: CustomAttributeType<Delivery>("any"), field: "d" },
        configured: { type: "number", field: "v" },
        rows: { type: "number", field: "z" },
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

/**
 * A difference as it is stored: with the run that it belongs to. An earlier version replaces a
 * bootstrap and leaves this attribute, which then belongs to no run.
 */
type StoredDifference = Difference & { readonly run: string };

/** The attributes that store a bootstrap. Attributes of absent parts are removed. */
export const BOOTSTRAP_ATTRIBUTES = [
  "scan",
  "run",
  "startedAt",
  "starts",
  "exactFrom",
  "difference",
] as const;

export const bootstrapAttributes = (bootstrap: Bootstrap | undefined) => {
  if (bootstrap === undefined) return {};
  const { scan, run, startedAt, starts, exactFrom, difference } = bootstrap;
  if (difference !== undefined) {
    return { scan, run, startedAt, starts, exactFrom, difference: { ...difference, run } };
  }
  return isPending(bootstrap) ? { scan } : { scan, run, startedAt, starts, exactFrom };
};

/** The attributes that belong to one generation. A seek removes them. */
export const PARKING_ATTRIBUTES = [
  "parked",
  "revision",
  "releaseCount",
  "skipped",
  "delivery",
] as const;

/** The condition on a counter that is absent until it counts. */
export const isOrAbsent = <Name>(
  name: Name,
  { eq, notExists }: { eq(name: Name, value: number): string; notExists(name: Name): string },
  value: number,
): string => (value === 0 ? notExists(name) : eq(name, value));

/** Returns the attributes with which a worker's commit renews its lease, as a poll does. */
export const held = (guard: LeaseGuard) =>
  guard.token === undefined ? {} : { until: guard.until };

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

/** The condition that a subscription has as many rows as are known, in the row of partition 0. */
export const hasRows = <Name>(
  row: { readonly rows: Name },
  operations: { eq(name: Name, value: number): string; notExists(name: Name): string },
  known: number | undefined,
): string => isOrAbsent(row.rows, operations, known ?? 0);

type StoredOffset = Omit<OffsetRow, "bootstrap" | "lease" | "parking"> & {
  [K in Exclude<keyof Bootstrap, "difference">]?: Bootstrap[K];
} & { readonly difference?: StoredDifference } & {
  readonly token?: number;
  readonly owner?: string;
  readonly until?: number;
} & {
  readonly parked?: readonly ParkedKey[];
  readonly revision?: number;
  readonly releaseCount?: number;
  readonly skipped?: readonly SkippedEvent[];
};

export function toOffset(stored: StoredOffset): OffsetRow {
  const { partition, batch, next, generation, scan, token, owner, until = 0, ...rest } = stored;
  const { revision, releaseCount = 0, parked: keys = [], delivery, configured, rows } = rest;
  const skipped = stillSkipped({ keys, skipped: rest.skipped ?? [] }, next);
  const lease = token === undefined ? {} : { lease: { token, owner, until } };
  const parking =
    revision === undefined ? {} : { parking: { revision, releaseCount, keys, skipped } };
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
    ...(rows === undefined ? {} : { rows }),
  };
  if (scan === undefined) return offset;
  const { run = "", startedAt = 0, starts = [], exactFrom = [], difference } = rest;
  const bootstrap = { scan, run, startedAt, starts, exactFrom };
  if (difference === undefined || difference.run !== run || scan === pendingBootstrap.scan) {
    return { ...offset, bootstrap };
  }
  const { since, startedAt: begunAt } = difference;
  return { ...offset, bootstrap: { ...bootstrap, difference: { since, startedAt: begunAt } } };
}
