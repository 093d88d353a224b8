import { type ConnectionOptions, openConnection } from "../connection-options.ts";
import { streamPath } from "../context.ts";
import { unlessRepeated } from "../errors.ts";
import type { ParkedKey, Place, SeekReceipt } from "../subscription/settings.ts";
import type {
  ApiKey,
  Caller,
  ListedSubscription,
  NewApiKey,
  NewPortalToken,
  NewPush,
  NewTenant,
  Push,
  PushAttempt,
  PushDelivery,
  ReleaseReceipt,
  RotatedApiKey,
  SubscriptionAnswer,
  SubscriptionView,
  Tenant,
  UsageEntry,
} from "./answers.ts";
import { each, type Listing, type Send, type Signalled } from "./send.ts";
import type {
  KeyQuota,
  KeyRotation,
  KeySettings,
  NewSubscription,
  PortalTokenSettings,
  PushSettings,
  SubscriptionChange,
  TenantQuota,
  UsageQuery,
} from "./settings.ts";
import { schemas, streams } from "./streams.ts";

export type * from "./answers.ts";
export type * from "./settings.ts";
export type * from "./stream-answers.ts";

/**
 * The requests of an administrator: streams, subscriptions, API keys and tenants. Lists are
 * iterated over; further pages are fetched when they are needed.
 */
export function administer(options: ConnectionOptions) {
  const connection = openConnection(options);
  const send = async <T>(...[method, path, more]: Parameters<Send>): Promise<T> => {
    const { text } = await connection.request({ method, path, ...more });
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  return {
    whoami: (how?: Signalled): Promise<Caller> => send("GET", "/whoami", how),
    /** Rejects when the server is not healthy. `deep` also checks its table. */
    health: ({
      deep = false,
      ...how
    }: Signalled & { readonly deep?: boolean } = {}): Promise<void> =>
      send("GET", "/health", { query: { deep: deep ? "1" : undefined }, attempts: 1, ...how }),
    streams: streams(send, connection),
    /** The schemas of a stream's events. */
    schemas: (stream: string) => schemas(send, `${streamPath(stream)}/schemas`),
    /** The subscriptions of a stream. */
    subscriptions: (stream: string) => subscriptions(send, `${streamPath(stream)}/subscriptions`),
    /** The pushes of a stream's subscriptions. */
    pushes: (stream: string) => pushes(send, `${streamPath(stream)}/subscriptions`),
    keys: keys(send),
    /** Makes a token that gives a customer a part of some streams, for at most a day. */
    createPortalToken: (body: PortalTokenSettings, how?: Signalled): Promise<NewPortalToken> =>
      send("POST", "/portal-tokens", { body, ...how }),
    tenants: tenants(send),
    quotas: quotas(send),
    /** Lists what streams, keys or tenants used, by time. */
    usage: (query: UsageQuery = {}, how?: Signalled) =>
      each<UsageEntry>(send, "/usage", "usage", { ...how, query }),
  };
}

export type Administration = ReturnType<typeof administer>;

const subscriptions = (send: Send, all: string) => {
  const pathOf = (name: string) => `${all}/${encodeURIComponent(name)}`;
  return {
    list: (how?: Listing) => each<ListedSubscription>(send, all, "subscriptions", how),
    get: (name: string, how?: Signalled): Promise<SubscriptionView> =>
      send("GET", pathOf(name), how),
    create: (name: string, settings: NewSubscription = {}, how?: Signalled) =>
      send<SubscriptionAnswer>("POST", all, { body: { name, ...settings }, ...how }),
    change: (
      name: string,
      body: SubscriptionChange,
      how?: Signalled,
    ): Promise<SubscriptionAnswer & { readonly warnings: readonly string[] }> =>
      send("PATCH", pathOf(name), { body, ...how }),
    delete: (name: string, how?: Signalled): Promise<void> =>
      unlessRepeated(send("DELETE", pathOf(name), how), "subscription-not-found"),
    /** Moves a subscription. A dry run checks the place, and shows the phase and the lag there. */
    seek: (
      name: string,
      to: Place | string,
      { dryRun, ...how }: Signalled & { readonly dryRun?: boolean } = {},
    ): Promise<SeekReceipt> =>
      send("POST", `${pathOf(name)}/seek`, { body: { to, dryRun }, ...how }),
    parked: (name: string, how?: Omit<Listing, "stats">) =>
      each<ParkedKey>(send, `${pathOf(name)}/parked`, "parked", how),
    /** Delivers the events of a parked key. */
    retry: (name: string, key: string, how?: Signalled): Promise<ReleaseReceipt> =>
      send("POST", `${pathOf(name)}/parked/retry`, { body: {}, query: { key }, ...how }),
    /** Leaves the parked event out, and delivers the later ones of its key. */
    skip: (
      name: string,
      { key, sequence }: Pick<ParkedKey, "key" | "sequence">,
      how?: Signalled,
    ): Promise<ReleaseReceipt> =>
      send("POST", `${pathOf(name)}/parked/skip`, { body: {}, query: { key, sequence }, ...how }),
  };
};

const keyPath = (id: string): string => `/keys/${encodeURIComponent(id)}`;

/** Repeating one of these requests would make another secret, so they are sent once. */
const ONCE = { attempts: 1 };

const pushes = (send: Send, path: string) => {
  const pathOf = (subscription: string) => `${path}/${encodeURIComponent(subscription)}/push`;
  return {
    get: (subscription: string, how?: Signalled): Promise<Push> =>
      send("GET", pathOf(subscription), how),
    /** Not repeated. The answer to the first request has the secret. */
    set: (subscription: string, settings: PushSettings, how?: Signalled): Promise<Push | NewPush> =>
      send("PUT", pathOf(subscription), { body: settings, ...ONCE, ...how }),
    delete: (subscription: string, how?: Signalled): Promise<void> =>
      send("DELETE", pathOf(subscription), how),
    enable: (subscription: string, how?: Signalled): Promise<Push> =>
      send("POST", `${pathOf(subscription)}/enable`, how),
    disable: (subscription: string, how?: Signalled): Promise<Push> =>
      send("POST", `${pathOf(subscription)}/disable`, how),
    /** Sends a test event once. */
    test: (subscription: string, how?: Signalled): Promise<PushAttempt> =>
      send("POST", `${pathOf(subscription)}/test`, { ...ONCE, ...how }),
    /** Not repeated. The former secret signs as well for a day. */
    rotate: (subscription: string, how?: Signalled): Promise<NewPush> =>
      send("POST", `${pathOf(subscription)}/rotate`, { ...ONCE, ...how }),
    /** Lists the failed deliveries of the last 7 days, the newest first. */
    deliveries: (subscription: string, how?: Omit<Listing, "stats">) =>
      each<PushDelivery>(send, `${pathOf(subscription)}/deliveries`, "deliveries", how),
    /** Sends everything from a time on, or from `earliest`, once more. */
    replay: (subscription: string, from: string, how?: Signalled): Promise<Push> =>
      send("POST", `${pathOf(subscription)}/replay`, { body: { from }, ...how }),
    /** Sends an event of the log once more. */
    resend: (
      subscription: string,
      event: { readonly key: string; readonly sequence: number },
      how?: Signalled,
    ): Promise<PushAttempt> =>
      send("POST", `${pathOf(subscription)}/resend`, { body: event, ...ONCE, ...how }),
  };
};

const keys = (send: Send) => ({
  list: (how?: Omit<Listing, "stats">) => each<ApiKey>(send, "/keys", "keys", how),
  get: (id: string, how?: Signalled): Promise<ApiKey> => send("GET", keyPath(id), how),
  /** Not repeated. After `LedgerUnreachable` with `maybeWritten`, check the list of keys. */
  create: (settings: KeySettings, how?: Signalled): Promise<NewApiKey> =>
    send("POST", "/keys", { body: settings, ...ONCE, ...how }),
  rotate: (id: string, body: KeyRotation = {}, how?: Signalled): Promise<RotatedApiKey> =>
    send("POST", `${keyPath(id)}/rotate`, { body, ...ONCE, ...how }),
  /** `cascade` also revokes the keys that this key has created. */
  revoke: (
    id: string,
    { cascade = false, ...how }: Signalled & { readonly cascade?: boolean | undefined } = {},
  ): Promise<void> =>
    unlessRepeated(
      send("DELETE", keyPath(id), { query: { cascade: cascade ? "true" : undefined }, ...how }),
      "api-key-not-found",
    ),
});

const tenants = (send: Send) => ({
  list: (how?: Omit<Listing, "stats">) => each<Tenant>(send, "/tenants", "tenants", how),
  /** Creates a tenant, or one more key with all rights in it. */
  create: (name: string, how?: Signalled): Promise<NewTenant> =>
    send("POST", "/tenants", { body: { name }, ...ONCE, ...how }),
});

/** The limits of keys and tenants. An absent member sets no limit, and `set` replaces them all. */
const quotas = (send: Send) => {
  const ofTenant = (name: string): string => `/tenants/${encodeURIComponent(name)}/quota`;
  return {
    ofKey: (id: string, how?: Signalled): Promise<KeyQuota> =>
      send("GET", `${keyPath(id)}/quota`, how),
    setOfKey: (id: string, body: KeyQuota, how?: Signalled): Promise<KeyQuota> =>
      send("PUT", `${keyPath(id)}/quota`, { body, ...how }),
    /** Needs the admin key of the installation. */
    ofTenant: (name: string, how?: Signalled): Promise<TenantQuota> =>
      send("GET", ofTenant(name), how),
    /** Needs the admin key of the installation. */
    setOfTenant: (name: string, body: TenantQuota, how?: Signalled): Promise<TenantQuota> =>
      send("PUT", ofTenant(name), { body, ...how }),
  };
};
