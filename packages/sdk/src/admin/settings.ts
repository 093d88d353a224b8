/** The bodies of requests of administration. A test compares them with the protocol's schemas. */
import type { Filter, Place, Reads } from "../subscription/settings.ts";
import type { KeyScope, PortalScope } from "./answers.ts";

export type NewStream = {
  readonly description?: string | undefined;
  /** `auto`: the stream gets more by itself when its writers wait for each other. */
  readonly partitions?: number | "auto" | undefined;
  readonly compaction?: "key" | "none" | undefined;
  readonly retentionHours?: number | undefined;
  /** How many days events are kept in the archive. Null: they are not archived. */
  readonly archiveDays?: number | null | undefined;
  /** Locks each object of the archive until its days are over. */
  readonly archiveLock?: "governance" | "compliance" | undefined;
};

export type StreamChange = Pick<
  NewStream,
  "description" | "partitions" | "retentionHours" | "archiveDays" | "archiveLock"
>;

export type NewSubscription = {
  readonly start?: Place | string | undefined;
  readonly filter?: Filter | undefined;
  readonly leaseSeconds?: number | undefined;
  readonly maxDeliveries?: number | undefined;
  readonly reads?: Reads | undefined;
};

/** Null removes a setting. */
export type SubscriptionChange = {
  readonly leaseSeconds?: number | undefined;
  readonly maxDeliveries?: number | null | undefined;
  readonly filter?: Filter | null | undefined;
  readonly reads?: Reads | null | undefined;
};

/** Without `compatibility` the mode stays as it is. */
export type NewSchemas = {
  /** JSON Schemas by the type of event. They replace the former ones. */
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly undeclared?: "accepted" | "refused" | undefined;
  readonly compatibility?: "none" | "backward" | "forward" | "full" | undefined;
};

export type KeySettings = {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[] | undefined;
  readonly keyPrefix?: string | undefined;
  readonly expiresAt?: string | undefined;
};

export type KeyRotation = {
  readonly overlapSeconds?: number | undefined;
  readonly expiresAt?: string | undefined;
};

/** A place where a range begins or ends: a text as in a query, or a place as in other bodies. */
type RangePlace = string | Exclude<Place, "bootstrap" | { readonly since: string }>;

/** What to export: the events of a range, or the last event of each key. */
export type NewExport = {
  readonly view?: "log" | "state" | undefined;
  readonly from?: RangePlace | undefined;
  readonly to?: RangePlace | undefined;
  readonly format?: "ndjson" | undefined;
};

/** The endpoint of a push. Absent settings get their defaults. */
export type PushSettings = {
  readonly url: string;
  readonly format?: "standard" | "cloudevents" | undefined;
  readonly concurrency?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
};

/** What a portal token covers. An empty `keyPrefix` covers every key. */
export type PortalTokenSettings = {
  readonly streams: readonly string[];
  readonly keyPrefix: string;
  readonly subscriptions?: readonly string[] | undefined;
  readonly scopes: readonly PortalScope[];
  readonly ttlSeconds?: number | undefined;
};

/** Which usage to list. Hours and days are those of UTC. */
export type UsageQuery = {
  readonly by?: "stream" | "key" | "tenant" | undefined;
  readonly step?: "hour" | "day" | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A tenant other than the caller's. Needs the admin key. */
  readonly tenant?: string | undefined;
};

/** The limits of an API key. */
export type KeyQuota = {
  readonly requestsPerSecond?: number | undefined;
  readonly eventsPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
};

/** The limits of a tenant. */
export type TenantQuota = KeyQuota & {
  readonly streams?: number | undefined;
  readonly subscriptions?: number | undefined;
  readonly storedBytes?: number | undefined;
};
