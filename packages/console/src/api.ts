import type {
  ApiKey,
  KeyRotation,
  KeySettings,
  ListedStream,
  ListedSubscription,
  NewApiKey,
  NewSchemas,
  NewStream,
  NewSubscription,
  Push,
  PushAttempt,
  PushDelivery,
  PushSettings,
  SchemaCheck,
  Schemas,
  StreamChange,
  SubscriptionChange,
  SubscriptionView,
  TenantQuota,
  UsageEntry,
  UsageQuery,
  StreamInfo as WholeStreamInfo,
} from "../../sdk/src/admin/index.ts";
import { type Filter, type Lag, type ParkedKey, type Place, rawJson } from "../../sdk/src/index.ts";
import { quoteData } from "./json/quote-data.ts";
import { admin, ledger, openStream } from "./session.ts";

/** Sends the requests of the console through the SDK. */

export type {
  ApiKey,
  Filter,
  Lag,
  ParkedKey,
  Push,
  PushAttempt,
  PushDelivery,
  SchemaCheck,
  Schemas,
  UsageEntry,
};

/** The limits of a tenant, or of a key, which has only some of them. */
export type Quota = TenantQuota;

/** A stream from a list, or from its own view, which has more members. */
export type StreamInfo = ListedStream & Partial<Pick<WholeStreamInfo, "subscriptions">>;

/** A subscription from a list, or from its own view, which has more members. */
export type SubscriptionInfo = ListedSubscription &
  Partial<Pick<SubscriptionView, "keysBehind" | "members" | "push">>;

export type KeySecret = Pick<NewApiKey, "apiKey" | "id" | "name">;

/** An event. `data` is the JSON text that was published, or null. */
export type Event = {
  readonly sequence: number;
  readonly publishedAt: string;
  readonly id: string;
  readonly key: string;
  readonly type?: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An erasure took the headers and the data. */
  readonly erased?: true;
  /** The event is the tombstone of the erasure with this id. */
  readonly erasure?: string;
  readonly data: string | null;
};

/** An event to publish by hand. `data` is a JSON text. */
export type Draft = {
  readonly key: string;
  readonly type?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly data: string;
};

export type EventPage = {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly looked: number;
  readonly life: string;
  readonly lag?: Lag;
  readonly nextPollMs?: number;
  readonly waitSecondsAdvised: number;
};

/** The subscription that lags most among those whose lag the server reports. */
export type Worst = { readonly name: string; readonly lag: Lag; readonly among: number };

export type Query = Readonly<Record<string, string | number | undefined>>;

const pathOf = (stream: string): string => `/streams/${encodeURIComponent(stream)}`;
const subscriptions = (stream: string) => admin.value.subscriptions(stream);
const pushes = (stream: string) => admin.value.pushes(stream);

/** A list is read up to this many items. A longer one shows its beginning. */
const ITEMS_MAX = 5_000;
const LISTING = { pageItems: 500 };
const WITH_STATS = { ...LISTING, stats: true };
/** The number of failed deliveries that are shown. */
const FAILURES_MAX = 50;

/** The items of a list, and whether there are more. */
export type Whole<T> = { readonly items: readonly T[]; readonly more: boolean };

async function whole<T>(list: AsyncIterable<T>, itemsMax = ITEMS_MAX): Promise<Whole<T>> {
  const items: T[] = [];
  for await (const item of list) {
    if (items.length === itemsMax) return { items, more: true };
    items.push(item);
  }
  return { items, more: false };
}

const printQuery = (query: Query): string =>
  Object.entries(query)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    )
    .join("&");

export const api = {
  streams: (signal?: AbortSignal): Promise<Whole<StreamInfo>> =>
    whole(admin.value.streams.list({ ...WITH_STATS, signal })),
  stream: (name: string, signal?: AbortSignal): Promise<StreamInfo> =>
    admin.value.streams.get(name, { signal }),
  /** Returns the subscription of a stream that lags most. */
  async worstLag(name: string, signal?: AbortSignal): Promise<Worst | undefined> {
    const { subscriptions: all } = await admin.value.streams.get(name, { signal });
    const [worst] = all.toSorted((a, b) => b.lag.events - a.lag.events);
    return worst && { ...worst, among: all.length };
  },
  createStream: (name: string, settings: NewStream = {}) =>
    admin.value.streams.create(name, settings),
  changeStream: (name: string, settings: StreamChange) =>
    admin.value.streams.change(name, settings),
  schemas: (name: string, signal?: AbortSignal) => admin.value.schemas(name).get({ signal }),
  checkSchemas: (name: string, wanted: NewSchemas) => admin.value.schemas(name).check(wanted),
  setSchemas: (name: string, wanted: NewSchemas, force: boolean) =>
    admin.value.schemas(name).set(wanted, { force }),
  deleteStream: (name: string) => admin.value.streams.delete(name),
  compact: (name: string) => admin.value.streams.compact(name),

  /** Returns a page of events. With `waitSeconds` the answer may take that long. */
  events: (name: string, { waitSeconds, ...query }: Query, signal?: AbortSignal) =>
    ledger.value.request<EventPage>({
      method: "GET",
      path: `${pathOf(name)}/events`,
      query,
      signal,
      ...(waitSeconds === undefined ? {} : { waitSeconds: Number(waitSeconds) }),
    }),
  /** Opens server-sent events with the pages after a place. */
  openEvents: (name: string, query: Query, signal: AbortSignal) =>
    openStream(`${pathOf(name)}/events?${printQuery(query)}`, signal),
  readPage: (json: string): EventPage => JSON.parse(quoteData(json)),
  publish: (name: string, { data, ...event }: Draft) =>
    ledger.value.stream(name).publish({ ...event, data: rawJson(data) }),
  state: async (name: string, key: string, signal?: AbortSignal): Promise<Event> =>
    JSON.parse(await admin.value.streams.stateText(name, key, { signal })),
  states: (name: string, query: Query, signal?: AbortSignal) =>
    ledger.value.request<{ items: readonly Event[]; cursor: string | null }>({
      method: "GET",
      path: `${pathOf(name)}/compacted`,
      query,
      signal,
    }),

  subscriptions: (of: string, signal?: AbortSignal): Promise<Whole<SubscriptionInfo>> =>
    whole(subscriptions(of).list({ ...WITH_STATS, signal })),
  subscription: (of: string, name: string, signal?: AbortSignal): Promise<SubscriptionInfo> =>
    subscriptions(of).get(name, { signal }),
  createSubscription: (of: string, name: string, settings: NewSubscription) =>
    subscriptions(of).create(name, settings),
  changeSubscription: (of: string, name: string, settings: SubscriptionChange) =>
    subscriptions(of).change(name, settings),
  seek: (of: string, name: string, to: Place, dryRun = false) =>
    subscriptions(of).seek(name, to, { dryRun }),
  deleteSubscription: (of: string, name: string) => subscriptions(of).delete(name),

  parked: (of: string, name: string, signal?: AbortSignal): Promise<Whole<ParkedKey>> =>
    whole(subscriptions(of).parked(name, { ...LISTING, signal })),
  retry: (of: string, name: string, key: string) => subscriptions(of).retry(name, key),
  skip: (of: string, name: string, parked: ParkedKey) => subscriptions(of).skip(name, parked),

  push: (of: string, name: string, signal?: AbortSignal): Promise<Push> =>
    pushes(of).get(name, { signal }),
  failures: (of: string, name: string, signal?: AbortSignal): Promise<Whole<PushDelivery>> =>
    whole(pushes(of).deliveries(name, { pageItems: FAILURES_MAX + 1, signal }), FAILURES_MAX),
  setPush: (of: string, name: string, settings: PushSettings) => pushes(of).set(name, settings),
  rotatePush: (of: string, name: string) => pushes(of).rotate(name),
  enablePush: (of: string, name: string) => pushes(of).enable(name),
  disablePush: (of: string, name: string) => pushes(of).disable(name),
  testPush: (of: string, name: string) => pushes(of).test(name),
  resend: (of: string, name: string, { key, sequence }: PushDelivery) =>
    pushes(of).resend(name, { key, sequence }),
  endPush: (of: string, name: string) => pushes(of).delete(name),

  keys: (signal?: AbortSignal): Promise<Whole<ApiKey>> =>
    whole(admin.value.keys.list({ ...LISTING, signal })),
  createKey: (settings: KeySettings) => admin.value.keys.create(settings),
  rotateKey: (id: string, how: KeyRotation) => admin.value.keys.rotate(id, how),
  revokeKey: (id: string, cascade: boolean) => admin.value.keys.revoke(id, { cascade }),
  tenants: (signal?: AbortSignal) => whole(admin.value.tenants.list({ ...LISTING, signal })),
  usage: (query: UsageQuery, signal?: AbortSignal): Promise<Whole<UsageEntry>> =>
    whole(admin.value.usage(query, { signal })),
  keyQuota: (id: string, signal?: AbortSignal): Promise<Quota> =>
    admin.value.quotas.ofKey(id, { signal }),
  setKeyQuota: (id: string, quota: Quota) => admin.value.quotas.setOfKey(id, quota),
  tenantQuota: (name: string, signal?: AbortSignal) =>
    admin.value.quotas.ofTenant(name, { signal }),
  setTenantQuota: (name: string, quota: Quota) => admin.value.quotas.setOfTenant(name, quota),
  createTenant: (name: string) => admin.value.tenants.create(name),
};
