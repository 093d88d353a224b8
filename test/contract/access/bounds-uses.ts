import { at, search } from "../client.ts";
import type { Call } from "../wire.ts";

/** The prefix that the keys under test are bound to. */
export const PREFIX = "eu/";
/** A text in every event, key and setting that such a key must never see. */
export const SECRET = "of-others-only";

/** The subscriptions and cursors that a bound key uses in one stream. */
export type Bounded = {
  readonly stream: string;
  /** A subscription that is filtered by the prefix. */
  readonly own: string;
  /** Subscriptions without a filter, with a shorter prefix, and with another prefix. */
  readonly foreign: readonly string[];
  /** The cursors of polls of `own` and of each of `foreign`. */
  readonly cursors: Readonly<Record<string, string>>;
};

type Use = {
  /** A request that succeeds and shows only keys that begin with the prefix. */
  readonly within: (at: Bounded) => Call;
  /** Requests that are refused with this code. */
  readonly outside: (at: Bounded) => readonly (readonly [code: string, Call])[];
};

const post = (path: string, json: object, method = "POST"): Call => ({
  method,
  path,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(json),
});

const OTHERS = `us/${SECRET}`;
const event = (key: string) => ({ key, data: 1 });

/** Sends the same request for the key's own subscription and for those that it does not cover. */
const ofSubscription = (call: (path: string, cursor: string) => Call): Use => ({
  within: ({ stream, own, cursors }) => call(at(stream, own), cursors[own] ?? ""),
  outside: ({ stream, foreign, cursors }) =>
    foreign.map((name) => [
      "subscription-not-found",
      call(at(stream, name), cursors[name] ?? cursors.any ?? ""),
    ]),
});

const ofParkedKey = (how: "retry" | "skip", key: string, by: "path" | "query" = "path"): Use => {
  const release = (path: string, parked: string): Call => ({
    method: "POST",
    path:
      by === "path"
        ? `${path}/parked/${encodeURIComponent(parked)}/${how}`
        : `${path}/parked/${how}${search({ key: parked })}`,
  });
  return {
    within: ({ stream, own }) => release(at(stream, own), key),
    outside: ({ stream, own, foreign }) => [
      ["forbidden", release(at(stream, own), OTHERS)],
      ...foreign.map((name) => ["subscription-not-found", release(at(stream, name), key)] as const),
    ],
  };
};

/**
 * For every operation that a bound key may use: the requests that succeed and those that are
 * refused. An operation that is missing here fails the test.
 */
export const BOUNDED_USES: Readonly<Record<string, Use>> = {
  getStream: {
    within: ({ stream }) => ({ path: at(stream) }),
    outside: () => [],
  },
  publishEvents: {
    within: ({ stream }) => post(`${at(stream)}/events`, event("eu/new")),
    outside: ({ stream }) => [
      ["forbidden", post(`${at(stream)}/events`, event(OTHERS))],
      ["forbidden", post(`${at(stream)}/events`, event("eu"))],
      ["forbidden", post(`${at(stream)}/events`, { events: [event("eu/new"), event(OTHERS)] })],
    ],
  },
  browseEvents: {
    within: ({ stream }) => ({ path: `${at(stream)}/events` }),
    outside: ({ stream }) => [
      ...[{ key: OTHERS }, { key: OTHERS, sequence: 3 }, { keyPrefix: "us/" }].map(
        (query) => ["forbidden", { path: `${at(stream)}/events${search(query)}` }] as const,
      ),
      ["event-not-found", { path: `${at(stream)}/events${search({ key: "eu/1", sequence: 3 })}` }],
    ],
  },
  listCompacted: {
    within: ({ stream }) => ({ path: `${at(stream)}/compacted` }),
    outside: ({ stream }) => [
      ["forbidden", { path: `${at(stream)}/compacted${search({ prefix: "us/" })}` }],
      ["forbidden", { path: `${at(stream)}/compacted${search({ key: OTHERS })}` }],
    ],
  },
  getCompacted: {
    within: ({ stream }) => ({ path: `${at(stream)}/compacted/eu%2F1` }),
    outside: ({ stream }) => [
      ["forbidden", { path: `${at(stream)}/compacted/${encodeURIComponent(OTHERS)}` }],
      ["forbidden", { path: `${at(stream)}/compacted/eu` }],
    ],
  },
  createSubscription: {
    within: ({ stream }) =>
      post(`${at(stream)}/subscriptions`, { name: "made", filter: { keyPrefix: "eu/new" } }),
    outside: ({ stream, foreign: [unfiltered = ""] }) => [
      ...[undefined, {}, { keyPrefix: "e" }, { keyPrefix: "us/" }].map(
        (filter) =>
          ["forbidden", post(`${at(stream)}/subscriptions`, { name: "made", filter })] as const,
      ),
      [
        "subscription-exists",
        post(`${at(stream)}/subscriptions`, { name: unfiltered, filter: { keyPrefix: "eu/" } }),
      ],
    ],
  },
  listSubscriptions: {
    within: ({ stream }) => ({ path: `${at(stream)}/subscriptions` }),
    outside: () => [],
  },
  getSubscription: ofSubscription((path) => ({ path })),
  poll: ofSubscription((path) => ({ path: `${path}/poll` })),
  commitAndPoll: ofSubscription((path) => post(`${path}/poll`, {})),
  commit: ofSubscription((path, cursor) => post(`${path}/commit`, { cursor })),
  leave: ofSubscription((path) => post(`${path}/leave`, { consumer: "w" })),
  park: ofSubscription((path) => post(`${path}/park`, { sequence: 1 })),
  listParked: ofSubscription((path) => ({ path: `${path}/parked` })),
  retryParked: ofParkedKey("retry", "eu/parked"),
  retryParkedKey: ofParkedKey("retry", "eu/parked", "query"),
  skipParked: ofParkedKey("skip", "eu/skipped"),
  skipParkedKey: ofParkedKey("skip", "eu/skipped-too", "query"),
  patchSubscription: {
    within: ({ stream, own }) =>
      post(at(stream, own), { filter: { keyPrefix: "eu/" }, leaseSeconds: 60 }, "PATCH"),
    outside: ({ stream, own, foreign }) => [
      ...[null, {}, { keyPrefix: "e" }, { keyPrefix: "us/" }].map(
        (filter) => ["forbidden", post(at(stream, own), { filter }, "PATCH")] as const,
      ),
      ...foreign.map(
        (name) =>
          [
            "subscription-not-found",
            post(at(stream, name), { leaseSeconds: 60 }, "PATCH"),
          ] as const,
      ),
    ],
  },
  seek: ofSubscription((path) => post(`${path}/seek`, { to: "earliest" })),
  putPush: ofSubscription((path) => post(`${path}/push`, { url: "http://127.0.0.1:9/" }, "PUT")),
  getPush: ofSubscription((path) => ({ path: `${path}/push` })),
  listPushDeliveries: ofSubscription((path) => ({ path: `${path}/push/deliveries` })),
  disablePush: ofSubscription((path) => ({ method: "POST", path: `${path}/push/disable` })),
  enablePush: ofSubscription((path) => ({ method: "POST", path: `${path}/push/enable` })),
  rotatePush: ofSubscription((path) => ({ method: "POST", path: `${path}/push/rotate` })),
  testPush: ofSubscription((path) => ({ method: "POST", path: `${path}/push/test` })),
  replayPush: ofSubscription((path) => post(`${path}/push/replay`, { from: "earliest" })),
  createPortalToken: {
    within: ({ stream, own }) =>
      post("/portal-tokens", {
        streams: [stream],
        keyPrefix: "eu/",
        subscriptions: [own],
        scopes: ["read", "endpoints"],
      }),
    outside: ({ stream, foreign }) => [
      ...["", "e", "us/"].map(
        (keyPrefix) =>
          [
            "forbidden",
            post("/portal-tokens", { streams: [stream], keyPrefix, scopes: ["read"] }),
          ] as const,
      ),
      ...foreign.map(
        (name) =>
          [
            "subscription-not-found",
            post("/portal-tokens", {
              streams: [stream],
              keyPrefix: "eu/",
              subscriptions: [name],
              scopes: ["endpoints"],
            }),
          ] as const,
      ),
    ],
  },
  resendPush: {
    within: ({ stream, own }) =>
      post(`${at(stream, own)}/push/resend`, { key: "eu/1", sequence: 1 }),
    outside: ({ stream, own, foreign }) => [
      ["forbidden", post(`${at(stream, own)}/push/resend`, { key: OTHERS, sequence: 1 })],
      ...foreign.map(
        (name) =>
          [
            "subscription-not-found",
            post(`${at(stream, name)}/push/resend`, { key: "eu/1", sequence: 1 }),
          ] as const,
      ),
    ],
  },
  deletePush: ofSubscription((path) => ({ method: "DELETE", path: `${path}/push` })),
  deleteSubscription: ofSubscription((path) => ({ method: "DELETE", path })),
};
