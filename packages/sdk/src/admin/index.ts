import { type ConnectionOptions, openConnection } from "../connection-options.ts";
import { streamPath } from "../context.ts";
import { unlessRepeated } from "../errors.ts";
import type { Lag } from "../events/event.ts";
import type { Call } from "../http/call.ts";
import type { Connection } from "../http/request.ts";
import type { ParkedKey, Place, SeekReceipt } from "../subscription/settings.ts";
import type {
  ApiKey,
  ArchiveReceipt,
  ArchiveSegment,
  ArchiveVerification,
  Caller,
  CompactReceipt,
  Erasure,
  ErasureCheck,
  Export,
  ListedErasure,
  ListedStream,
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
  SchemaCheck,
  Schemas,
  StreamAnswer,
  StreamDeletion,
  StreamInfo,
  SubscriptionAnswer,
  SubscriptionView,
  Tenant,
  UsageEntry,
} from "./answers.ts";
import type {
  KeyQuota,
  KeyRotation,
  KeySettings,
  NewExport,
  NewSchemas,
  NewStream,
  NewSubscription,
  PortalTokenSettings,
  PushSettings,
  StreamChange,
  SubscriptionChange,
  TenantQuota,
  UsageQuery,
} from "./settings.ts";

export type * from "./answers.ts";
export type * from "./settings.ts";

type Signalled = { readonly signal?: AbortSignal | undefined };
type Listing = Signalled & {
  /** Adds the statistics of each entry. They cost the server a few reads for each partition. */
  readonly stats?: boolean | undefined;
  /** The maximum number of entries that one request asks for. */
  readonly pageItems?: number | undefined;
  readonly query?: Call["query"];
};
type Send = <T>(
  method: Call["method"],
  path: string,
  more?: Omit<Call, "method" | "path">,
) => Promise<T>;

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

/** All entries of a list, page by page. */
async function* each<T>(
  send: Send,
  path: string,
  member: string,
  { stats = false, pageItems, query: more, signal }: Listing = {},
): AsyncGenerator<T, void, void> {
  for (let cursor: string | undefined; ; ) {
    const query = { ...more, cursor, include: stats ? "stats" : undefined, limit: pageItems };
    const page: Record<string, T[]> & { cursor: string | null } = await send("GET", path, {
      query,
      signal,
    });
    yield* page[member] ?? [];
    if (page.cursor === null) return;
    cursor = page.cursor;
  }
}

const streams = (send: Send, connection: Connection) => ({
  list: (how?: Listing) => each<ListedStream>(send, "/streams", "streams", how),
  get: (name: string, how?: Signalled): Promise<StreamInfo> => send("GET", streamPath(name), how),
  create: (name: string, settings: NewStream = {}, how?: Signalled): Promise<StreamAnswer> =>
    send("POST", "/streams", { body: { name, ...settings }, ...how }),
  change: (name: string, body: StreamChange, how?: Signalled): Promise<StreamAnswer> =>
    send("PATCH", streamPath(name), { body, ...how }),
  /**
   * Returns undefined when the stream is already gone, perhaps because of an earlier attempt of
   * this call.
   */
  async delete(name: string, how?: Signalled): Promise<StreamDeletion | undefined> {
    let deletion: StreamDeletion | undefined;
    const sent = send<StreamDeletion>("DELETE", streamPath(name), how).then((answer) => {
      deletion = answer;
    });
    await unlessRepeated(sent, "stream-not-found");
    return deletion;
  },
  /** Compacts for a bounded time. `done: false` says that more remains. */
  compact: (name: string, how?: Signalled): Promise<CompactReceipt> =>
    send("POST", `${streamPath(name)}/compact`, { body: {}, ...how }),
  /** Archives for a bounded time. `done: false` says that more remains. */
  archive: (name: string, how?: Signalled): Promise<ArchiveReceipt> =>
    send("POST", `${streamPath(name)}/archive`, how),
  segments: (name: string, how?: Signalled) =>
    each<ArchiveSegment>(send, `${streamPath(name)}/archive`, "segments", how),
  /** Verifies for a bounded time, from the start or from the cursor of the previous answer. */
  verify: (name: string, cursor?: string, how?: Signalled): Promise<ArchiveVerification> =>
    send("POST", `${streamPath(name)}/archive/verify`, { query: { cursor }, ...how }),
  exports: exportsOf(send),
  erasures: erasuresOf(send),
  /** The compacted state of a key, as the text of the answer: for `rawData`. */
  async stateText(name: string, key: string, how?: Signalled): Promise<string> {
    const path = `${streamPath(name)}/compacted`;
    return (await connection.request({ method: "GET", path, query: { key }, ...how })).text;
  },
  /** The number of events from a place to the end, with the age of the oldest. */
  async lagFrom(name: string, from: string, how?: Signalled): Promise<Lag> {
    const query = { from, limit: 1 };
    type Page = { events: unknown[]; lag?: Lag };
    const page: Page = await send("GET", `${streamPath(name)}/events`, { query, ...how });
    const { events = 0, seconds = 0 } = page.lag ?? {};
    return { events: events + page.events.length, seconds };
  },
});

const exportsOf = (send: Send) => {
  const pathOf = (stream: string, id = "") => `${streamPath(stream)}/exports${id && `/${id}`}`;
  return {
    /** Begins an export. Call `get` until it is done. */
    create: (stream: string, what: NewExport = {}, how?: Signalled): Promise<Export> =>
      send("POST", pathOf(stream), { body: what, ...how }),
    /** Continues an export for some seconds, and returns a page of its parts. */
    get: (
      stream: string,
      id: string,
      page: { readonly cursor?: string | undefined; readonly limit?: number } = {},
      how?: Signalled,
    ): Promise<Export> => send("GET", pathOf(stream, id), { query: page, ...how }),
    delete: (stream: string, id: string, how?: Signalled): Promise<void> =>
      send("DELETE", pathOf(stream, id), how),
  };
};

const erasuresOf = (send: Send) => {
  const pathOf = (stream: string, id = "") => `${streamPath(stream)}/erasures${id && `/${id}`}`;
  return {
    /** Erases the data of a key. Call `get` until it is done. */
    create: (
      stream: string,
      body: { readonly key: string; readonly reason: string },
      how?: Signalled,
    ): Promise<Erasure> => send("POST", pathOf(stream), { body, ...how }),
    get: (stream: string, id: string, how?: Signalled): Promise<Erasure> =>
      send("GET", pathOf(stream, id), how),
    list: (stream: string, how?: Omit<Listing, "stats">) =>
      each<ListedErasure>(send, pathOf(stream), "erasures", how),
    /** Looks for what is left, for a bounded time, from the start or from a `cursor`. */
    verify: (stream: string, id: string, cursor?: string, how?: Signalled): Promise<ErasureCheck> =>
      send("POST", `${pathOf(stream, id)}/verify`, { query: { cursor }, ...how }),
  };
};

const schemas = (send: Send, path: string) => ({
  get: (how?: Signalled): Promise<Schemas> => send("GET", path, how),
  /**
   * Replaces all schemas. `force` also changes what the mode forbids, or what subscriptions read.
   */
  set: (
    wanted: NewSchemas,
    { force = false, ...how }: Signalled & { readonly force?: boolean | undefined } = {},
  ): Promise<Schemas> =>
    send("PUT", path, { body: wanted, query: { force: force ? "true" : undefined }, ...how }),
  /** What `set` would do. Changes nothing. */
  check: (wanted: NewSchemas, how?: Signalled): Promise<SchemaCheck> =>
    send("POST", `${path}/check`, { body: wanted, ...how }),
});

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
    seek: (name: string, to: Place | string, how?: Signalled): Promise<SeekReceipt> =>
      send("POST", `${pathOf(name)}/seek`, { body: { to }, ...how }),
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
