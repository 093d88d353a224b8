import { BAD_CURSOR, type BadRow, INVALID, MEDIA_TYPE, pathRows } from "./bad-rows.ts";

const MADE_UP = "A".repeat(48);
const events = (query: string) => `/streams/{stream}/events?${query}`;
const poll = (query: string) => `/streams/{stream}/subscriptions/{sub}/poll?${query}`;

const QUERIES: [string, string, string][] = [
  ["a limit of 0", events("limit=0"), "/query/limit"],
  ["a limit below 0", events("limit=-1"), "/query/limit"],
  ["a limit of 1,001", events("limit=1001"), "/query/limit"],
  ["half a limit", events("limit=1.5"), "/query/limit"],
  ["a limit in words", events("limit=ten"), "/query/limit"],
  ["a limit of NaN", events("limit=NaN"), "/query/limit"],
  ["a limit of Infinity", events("limit=Infinity"), "/query/limit"],
  ["an empty limit", events("limit="), "/query/limit"],
  ["a limit in hexadecimal", events("limit=0x10"), "/query/limit"],
  ["a limit with an exponent", events("limit=1e2"), "/query/limit"],
  ["a limit with white space", events("limit=%2010%20"), "/query/limit"],
  ["two limits", events("limit=1&limit=2"), "/query/limit"],
  ["an unknown parameter", events("form=earliest"), "/query/form"],
  ["a parameter named __proto__", events("__proto__=1"), "/query/__proto__"],
  ["an empty from", events("from="), "/query/from"],
  ["from now", events("from=now"), "/query/from"],
  ["from sequence 0", events("from=0"), "/query/from"],
  ["from a date", events("from=2026-01-01"), "/query/from"],
  ["from a time without colons", events("from=20260101T000000Z"), "/query/from"],
  ["until some words", events("until=a-secret-cursor"), "/query/until"],
  ["from a time without an offset", events("from=2026-01-01T00:00:00"), "/query/from"],
  ["from a month that does not exist", events("from=2026-13-01T00:00:00Z"), "/query/from"],
  ["two froms", events("from=earliest&from=latest"), "/query/from"],
  ["a cursor with a dot", events("from={browse}."), "/query/from"],
  ["an empty type", events("type="), "/query/type"],
  ["two types", events("type=a&type=b"), "/query/type"],
  ["an empty key", events("key="), "/query/key"],
  ["a key of 513 bytes", events(`key=${"k".repeat(513)}`), "/query/key"],
  ["a key that is not UTF-8", events("key=%ff"), "/query"],
  ["a key with half an escape", events("key=100%"), "/query"],
  ["poll: a limit of 0", poll("limit=0"), "/query/limit"],
  ["poll: a limit of 1,001", poll("limit=1001"), "/query/limit"],
  ["poll: 21 seconds", poll("waitSeconds=21"), "/query/waitSeconds"],
  ["poll: -1 seconds", poll("waitSeconds=-1"), "/query/waitSeconds"],
  ["poll: half a second", poll("waitSeconds=0.5"), "/query/waitSeconds"],
  ["poll: a second in words", poll("waitSeconds=one"), "/query/waitSeconds"],
  ["poll: an unknown parameter", poll("from=earliest"), "/query/from"],
  ["poll: an empty cursor", poll("after="), "/query/after"],
  ["poll: two cursors", poll("after={poll}&after={poll}"), "/query/after"],
  ["list streams: an unknown include", "/streams?include=foo", "/query/include"],
  ["list streams: an empty include", "/streams?include=", "/query/include"],
  ["list streams: includes twice", "/streams?include=stats&include=stats", "/query/include"],
  ["list streams: two includes", "/streams?include=stats,lag", "/query/include"],
  [
    "list subscriptions: an unknown include",
    "/streams/{stream}/subscriptions?include=Stats",
    "/query/include",
  ],
  ["list keys: include", "/keys?include=stats", "/query/include"],
  ["list streams: a limit of 501", "/streams?limit=501", "/query/limit"],
  ["list streams: a limit of 0", "/streams?limit=0", "/query/limit"],
  ["list streams: an empty cursor", "/streams?cursor=", "/query/cursor"],
  ["list streams: a cursor with *", "/streams?cursor=*", "/query/cursor"],
  ["list streams: an unknown parameter", "/streams?page=2", "/query/page"],
  [
    "list subscriptions: a limit of 501",
    "/streams/{stream}/subscriptions?limit=501",
    "/query/limit",
  ],
  ["health: a depth of 2", "/health?deep=2", "/query/deep"],
  ["health: an unknown parameter", "/health?verbose=1", "/query/verbose"],
];

const CURSORS: [string, string][] = [
  ["from a cursor that was made up", events(`from=${MADE_UP}`)],
  ["from a cursor of another stream", events("from={foreignBrowse}")],
  ["poll: a cursor that was made up", poll(`after=${MADE_UP}`)],
  ["poll: a cursor of another stream", poll("after={foreign}")],
  ["list streams: a cursor that was made up", "/streams?cursor=AAAA"],
  ["list streams: a cursor that is no name", "/streams?cursor=Li4vLi4v"],
  ["list subscriptions: a cursor that was made up", "/streams/{stream}/subscriptions?cursor=_-_-"],
];

const long = "n".repeat(129);
const PATHS: [string, string, string][] = [
  ["a stream in capitals", "/streams/Orders", "/path/stream"],
  ["a stream of 129 characters", `/streams/${long}`, "/path/stream"],
  ["a stream with an escaped slash", "/streams/..%2f..%2fetc", "/path/stream"],
  ["a stream with a null", "/streams/a%00", "/path/stream"],
  ["a stream with a space", "/streams/a%20b", "/path/stream"],
  ["a stream with #", "/streams/a%23b", "/path/stream"],
  ["a stream that starts with a dash", "/streams/-a", "/path/stream"],
  ["a stream with an umlaut", "/streams/%c3%bc", "/path/stream"],
  ["a stream with a line break", "/streams/a%0a", "/path/stream"],
  ["a stream that is not UTF-8", "/streams/%ff", "/path"],
  ["a stream with half an escape", "/streams/a%zz", "/path"],
  ["events of a stream in capitals", "/streams/Orders/events", "/path/stream"],
  ["a subscription in capitals", "/streams/{stream}/subscriptions/S", "/path/subscription"],
  ["a subscription with a null", "/streams/{stream}/subscriptions/a%00", "/path/subscription"],
  ["poll of a name too long", `/streams/{stream}/subscriptions/${long}/poll`, "/path/subscription"],
];

const UNKNOWN: [string, string][] = [
  ["an unknown path", "/nope"],
  ["an unknown part of a stream", "/streams/{stream}/nope"],
  ["an unknown part of a subscription", "/streams/{stream}/subscriptions/{sub}/nope"],
  ["a path too deep", "/streams/{stream}/events/1/2"],
  ["a slash at the end", "/streams/"],
  ["a slash after a stream", "/streams/{stream}/"],
  ["two slashes", "//streams"],
  ["no stream between slashes", "/streams//events"],
  ["another case", "/Streams"],
  ["a version", "/v1/streams"],
  ["an unknown file of the docs", "/docs/assets/nope.js"],
  ["a file beside the docs", "/docs/assets/..%2fpackage.json"],
];

const json = { "content-type": "application/json" };
const event = '{"key":"k","data":1}';
const publish = { method: "POST", path: "/streams/{stream}/events", body: event };

const METHODS: BadRow[] = (
  [
    ["PUT", "/streams", "GET, POST"],
    ["DELETE", "/streams", "GET, POST"],
    ["OPTIONS", "/streams", "GET, POST"],
    ["POST", "/streams/{stream}", "DELETE, GET, PATCH"],
    ["PUT", "/streams/{stream}", "DELETE, GET, PATCH"],
    ["DELETE", "/streams/{stream}/events", "GET, POST"],
    ["PATCH", "/streams/{stream}/events", "GET, POST"],
    ["OPTIONS", "/streams/{stream}/events", "GET, POST"],
    ["DELETE", "/streams/{stream}/subscriptions", "GET, POST"],
    ["PUT", "/streams/{stream}/subscriptions/{sub}", "DELETE, GET, PATCH"],
    ["GET", "/streams/{stream}/subscriptions/{sub}/commit", "POST"],
    ["DELETE", "/streams/{stream}/subscriptions/{sub}/commit", "POST"],
    ["POST", "/health", "GET"],
    ["DELETE", "/openapi.json", "GET"],
    ["POST", "/docs", "GET"],
    ["PROPFIND", "/streams", "GET, POST"],
  ] as const
).map(([method, path, allow]) => ({
  name: `${method} ${path}`,
  method,
  path,
  allow,
  status: 405,
  code: "method-not-allowed",
}));

const KEYS: BadRow[] = (
  [
    ["no key", { authorization: "" }],
    ["a wrong key", { authorization: "Bearer wrong" }],
    ["an empty bearer", { authorization: "Bearer " }],
    ["two bearers in one", { authorization: "Bearer a b" }],
    ["another scheme", { authorization: "Basic YWRtaW46YWRtaW4=" }],
    ["a bearer without a space", { authorization: "Bearer-wrong" }],
    ["a key of 8,000 characters", { authorization: `Bearer ${"k".repeat(8_000)}` }],
    ["a wrong X-Api-Key", { authorization: "", "x-api-key": "wrong" }],
    ["an empty X-Api-Key", { authorization: "", "x-api-key": "" }],
  ] as const
).map(([name, headers]) => ({
  name,
  ...publish,
  headers: { ...json, ...headers },
  status: 401,
  code: "unauthorized",
}));

const contentType = (name: string, row: Partial<BadRow>): BadRow => ({
  name,
  ...publish,
  ...MEDIA_TYPE,
  ...row,
});

const CONTENT: BadRow[] = [
  contentType("publish: no content type", { headers: {} }),
  contentType("publish: plain text", { headers: { "content-type": "text/plain" } }),
  contentType("publish: a form", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
  }),
  contentType("publish: XML", { headers: { "content-type": "application/xml" } }),
  contentType("publish: not quite JSON", { headers: { "content-type": "application/jsonp" } }),
  contentType("publish: no media type", { headers: { "content-type": "json" } }),
  contentType("publish: Latin-1", {
    headers: { "content-type": "application/json; charset=iso-8859-1" },
  }),
  contentType("publish: br", { headers: { ...json, "content-encoding": "br" } }),
  contentType("publish: zstd over br", { headers: { ...json, "content-encoding": "br, zstd" } }),
  contentType("create a stream: no content type", { path: "/streams", headers: {} }),
  contentType("create a stream: Latin-1", {
    path: "/streams",
    headers: { "content-type": "application/json; charset=latin1" },
  }),
  contentType("create a stream: deflate", {
    path: "/streams",
    headers: { ...json, "content-encoding": "deflate" },
  }),
  contentType("patch a stream: merge-patch", {
    method: "PATCH",
    path: "/streams/{stream}",
    headers: { "content-type": "application/merge-patch+json" },
  }),
  contentType("subscribe: plain text", {
    path: "/streams/{stream}/subscriptions",
    headers: { "content-type": "text/plain" },
  }),
  contentType("commit: NDJSON", {
    path: "/streams/{stream}/subscriptions/{sub}/commit",
    headers: { "content-type": "application/x-ndjson" },
  }),
];

/** Every request that is refused for a reason other than its body. */
export const BAD_REQUESTS: readonly BadRow[] = [
  ...pathRows(INVALID, QUERIES),
  ...pathRows(BAD_CURSOR, CURSORS),
  ...pathRows(INVALID, PATHS),
  ...pathRows({ status: 404, code: "route-not-found" }, UNKNOWN),
  ...METHODS,
  ...KEYS,
  ...CONTENT,
];
