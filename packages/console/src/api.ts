import { rawJson } from "../../sdk/src/index.ts";
import { ledger } from "./session.ts";

/** The requests of the console, each with the part of its answer that the console shows. */

export type Lag = { readonly events: number; readonly seconds: number };

export type StreamInfo = {
  readonly name: string;
  readonly description: string;
  readonly partitions: number;
  readonly compaction: "key" | "none";
  readonly retentionHours: number;
  readonly createdAt: string;
  readonly life: string;
  readonly eventCount?: number;
  readonly bytes?: number;
  readonly firstEventAt?: string | null;
  readonly lastEventAt?: string | null;
  readonly watermarkLag?: Lag;
  readonly archiveDays?: number;
  readonly archive?: {
    readonly segments: number;
    readonly events: number;
    readonly bytes: number;
    readonly lag: Lag;
  };
  readonly subscriptionCount?: number;
  readonly subscriptions?: readonly { readonly name: string; readonly lag: Lag }[];
};

/** An event. `data` is the JSON text that was published, or null. */
export type Event = {
  readonly sequence: number;
  readonly publishedAt: string;
  readonly id: string;
  readonly key: string;
  readonly type?: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data: string | null;
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

export type Filter = {
  readonly types?: readonly string[];
  readonly keyPrefix?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type SubscriptionInfo = {
  readonly name: string;
  readonly stream: string;
  readonly start: unknown;
  readonly filter?: Filter;
  readonly leaseSeconds: number;
  readonly maxDeliveries?: number;
  readonly createdAt: string;
  readonly phase?: "bootstrap" | "log";
  readonly snapshot?: { readonly partsRead: number; readonly parts: number };
  readonly position?: string | null;
  readonly warnings?: readonly string[];
  readonly lag?: Lag;
  readonly keysBehind?: number | null;
  readonly parkedKeys?: number;
  readonly members?: readonly {
    readonly consumer: string;
    readonly share: number;
    readonly until: string;
  }[];
};

export type ParkedKey = {
  readonly key: string;
  readonly sequence: number;
  readonly reason: string;
  readonly parkedAt: string;
  readonly status: "parked" | "retrying";
  readonly expired?: boolean;
};

export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly streams: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly keyPrefix?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly rotatedAt: string | null;
};

export type Secret = { readonly apiKey: string; readonly id: string; readonly name: string };

/** A subscription and its lag. */
export type Worst = { readonly name: string; readonly lag: Lag };

type Query = Readonly<Record<string, string | number | undefined>>;
type Body = Readonly<Record<string, unknown>>;

const get = <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> =>
  ledger.value.request<T>({ method: "GET", path, query, signal });
const send = <T = void>(
  method: "POST" | "PATCH" | "DELETE",
  path: string,
  body?: Body,
  query: Query = {},
): Promise<T> => ledger.value.request<T>({ method, path, body, query });

const stream = (name: string): string => `/streams/${encodeURIComponent(name)}`;
const subscription = (of: string, name: string): string =>
  `${stream(of)}/subscriptions/${encodeURIComponent(name)}`;

/** A list is read whole up to this many pages. A longer one shows its beginning. */
const PAGES_MAX = 10;

/** All items of a list, and whether there are more. */
export type Whole<T> = { readonly items: readonly T[]; readonly more: boolean };

async function whole<T>(
  path: string,
  member: string,
  query: Query,
  signal?: AbortSignal,
): Promise<Whole<T>> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await get<Record<string, unknown>>(path, { ...query, cursor }, signal);
    items.push(...(answer[member] as T[]));
    if (typeof answer.cursor !== "string") return { items, more: false };
    cursor = answer.cursor;
  }
  return { items, more: true };
}

export const api = {
  streams: (signal?: AbortSignal) =>
    whole<StreamInfo>("/streams", "streams", { include: "stats", limit: 500 }, signal),
  stream: (name: string, signal?: AbortSignal) => get<StreamInfo>(stream(name), {}, signal),
  /** The subscription of a stream that lags most, by name of the stream. */
  worstLags: async (names: readonly string[], signal?: AbortSignal) => {
    const worst = new Map<string, Worst>();
    for (const name of names) {
      const { subscriptions = [] } = await get<StreamInfo>(stream(name), {}, signal);
      const [first] = subscriptions.toSorted((a, b) => b.lag.events - a.lag.events);
      if (first !== undefined) worst.set(name, first);
    }
    return worst;
  },
  createStream: (settings: Body) => send<StreamInfo>("POST", "/streams", settings),
  changeStream: (name: string, settings: Body) => send<StreamInfo>("PATCH", stream(name), settings),
  deleteStream: (name: string) => send("DELETE", stream(name)),
  compact: (name: string) => send<{ done: boolean }>("POST", `${stream(name)}/compact`, {}),

  /** A page of events. With `waitSeconds` the answer may take as long. */
  events: (name: string, { waitSeconds, ...query }: Query, signal?: AbortSignal) =>
    ledger.value.request<EventPage>({
      method: "GET",
      path: `${stream(name)}/events`,
      query,
      signal,
      ...(waitSeconds === undefined ? {} : { waitSeconds: Number(waitSeconds) }),
    }),
  /** Publishes one event, whose data is a JSON text. */
  publish: (name: string, event: { key: string; type?: string | undefined; data: string }) =>
    ledger.value
      .stream(name)
      .publish({ key: event.key, type: event.type, data: rawJson(event.data) }),
  state: (name: string, key: string, signal?: AbortSignal) =>
    get<Event>(`${stream(name)}/compacted`, { key }, signal),
  states: (name: string, query: Query, signal?: AbortSignal) =>
    get<{ items: readonly Event[]; cursor: string | null }>(
      `${stream(name)}/compacted`,
      query,
      signal,
    ),

  subscriptions: (of: string, signal?: AbortSignal) =>
    whole<SubscriptionInfo>(
      `${stream(of)}/subscriptions`,
      "subscriptions",
      { include: "stats", limit: 500 },
      signal,
    ),
  subscription: (of: string, name: string, signal?: AbortSignal) =>
    get<SubscriptionInfo>(subscription(of, name), {}, signal),
  createSubscription: (of: string, settings: Body) =>
    send<SubscriptionInfo>("POST", `${stream(of)}/subscriptions`, settings),
  changeSubscription: (of: string, name: string, settings: Body) =>
    send<SubscriptionInfo & { warnings: readonly string[] }>(
      "PATCH",
      subscription(of, name),
      settings,
    ),
  seek: (of: string, name: string, to: unknown) =>
    send("POST", `${subscription(of, name)}/seek`, { to }),
  deleteSubscription: (of: string, name: string) => send("DELETE", subscription(of, name)),

  parked: (of: string, name: string, signal?: AbortSignal) =>
    whole<ParkedKey>(`${subscription(of, name)}/parked`, "parked", { limit: 500 }, signal),
  retry: (of: string, name: string, key: string) =>
    send<{ status: string }>("POST", `${subscription(of, name)}/parked/retry`, {}, { key }),
  skip: (of: string, name: string, { key, sequence }: ParkedKey) =>
    send<{ status: string }>(
      "POST",
      `${subscription(of, name)}/parked/skip`,
      {},
      {
        key,
        sequence,
      },
    ),

  keys: (signal?: AbortSignal) => whole<ApiKey>("/keys", "keys", { limit: 500 }, signal),
  createKey: (settings: Body) => send<Secret>("POST", "/keys", settings),
  rotateKey: (id: string, overlapSeconds: number) =>
    send<Secret & { formerValidUntil: string }>("POST", `/keys/${id}/rotate`, { overlapSeconds }),
  revokeKey: (id: string, cascade: boolean) =>
    send("DELETE", `/keys/${id}`, undefined, { cascade: String(cascade) }),
  tenants: (signal?: AbortSignal) =>
    whole<{ name: string; createdAt: string }>("/tenants", "tenants", { limit: 500 }, signal),
  createTenant: (name: string) => send<{ adminKey: Secret }>("POST", "/tenants", { name }),
};
