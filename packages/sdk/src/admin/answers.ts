/**
 * The answers about subscriptions, keys, tenants, usage and pushes. A test compares them with the
 * protocol's schemas.
 */
import type { Filter, Place, Reads, SubscriptionInfo } from "../subscription/settings.ts";

export type SubscriptionAnswer = {
  readonly name: string;
  readonly stream: string;
  readonly start: Place;
  readonly filter?: Filter;
  readonly leaseSeconds: number;
  readonly maxDeliveries?: number;
  readonly reads?: Reads;
  readonly createdAt: string;
  readonly life: string;
};

/** A subscription from a list. It has its progress if that was requested. */
export type ListedSubscription = SubscriptionAnswer &
  Partial<
    Pick<SubscriptionInfo, "phase" | "position" | "warnings" | "lag" | "parkedKeys"> & {
      readonly snapshot: SnapshotProgress;
    }
  >;

export type SubscriptionView = SubscriptionAnswer &
  SubscriptionInfo & { readonly snapshot?: SnapshotProgress };

export type SnapshotProgress = { readonly partsRead: number; readonly parts: number };

export type KeyScope = "read" | "consume" | "operate" | "publish" | "admin" | "audit";

export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly rotatedAt: string | null;
};

/** A key with its secret, which no other answer shows. */
export type NewApiKey = ApiKey & { readonly apiKey: string };

export type RotatedApiKey = NewApiKey & { readonly formerValidUntil: string };

export type Tenant = { readonly name: string; readonly createdAt: string };

export type NewTenant = Tenant & { readonly adminKey: NewApiKey };

export type ReleaseReceipt = { readonly key: string; readonly status: "retrying" | "free" };

/** What a portal token may do. */
export type PortalScope = "read" | "endpoints";

/** A portal token, which is shown once. */
export type NewPortalToken = {
  readonly id: string;
  readonly token: string;
  readonly streams: readonly string[];
  readonly keyPrefix: string;
  readonly subscriptions: readonly string[];
  readonly scopes: readonly PortalScope[];
  readonly expiresAt: string;
};

export type Caller = {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
  /** What a portal token may do. Absent for an API key. */
  readonly portalScopes?: readonly PortalScope[];
  readonly expiresAt?: string;
  readonly version: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly waitSecondsAdvised: number;
  readonly streaming: boolean;
};

export type UsageAmount = { readonly events: number; readonly bytes: number };

/** What a stream, a key or a tenant used in an hour or a day. */
export type UsageEntry = {
  /** When the hour or the day begins. */
  readonly time: string;
  readonly stream?: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly published: UsageAmount;
  readonly delivered: UsageAmount;
  readonly requests: number;
  readonly stored?: {
    readonly hotBytes: number;
    readonly archivedBytes: number;
    readonly compactedBytes: number;
  };
};

export type Push = {
  readonly url: string;
  readonly format: "standard" | "cloudevents";
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  readonly status: "enabled" | "failing" | "disabled";
  readonly disabledBecause?: "asked" | "gone" | "failing" | "retention-passed" | "outside-prefix";
  /** What to do about a disabled push. */
  readonly remedy?: string;
  readonly failingSince?: string;
  readonly nextAttemptAt?: string;
  /** The number of keys that wait for their next attempt. */
  readonly retryingKeys: number;
  /** The number of keys that are parked after their last attempt. */
  readonly givenUpKeys: number;
  readonly createdAt: string;
};

/** A push with its new secret, which is shown once. */
export type NewPush = Push & { readonly secret: string };

/** What an endpoint said to one delivery. */
export type PushAttempt = {
  readonly id: string;
  readonly delivered: boolean;
  readonly status?: number;
  readonly error?: string;
  readonly answer?: string;
};

/** A failed delivery. */
export type PushDelivery = Omit<PushAttempt, "delivered"> & {
  readonly key: string;
  readonly sequence: number;
  readonly at: string;
  readonly attempt: number;
  readonly nextAttemptAt?: string;
};
