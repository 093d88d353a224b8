import createClient from "openapi-fetch";
import type { components, paths } from "./generated/api.d.ts";

/** Runs the story of ../story.ts with a client of openapi-typescript and openapi-fetch. */

declare const process: {
  readonly env: { readonly EVENTLEDGER_URL: string; readonly EVENTLEDGER_API_KEY: string };
  readonly argv: readonly string[];
};

const { EVENTLEDGER_URL: baseUrl, EVENTLEDGER_API_KEY: apiKey } = process.env;
const [, , stream = ""] = process.argv;
const api = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl,
  headers: { Authorization: `Bearer ${apiKey}` },
});

/** Returns the answer, or throws the problem as an error. */
async function answer<T>(asked: Promise<{ data?: T; error?: components["schemas"]["Problem"] }>) {
  const { data, error } = await asked;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const onStream = { path: { stream } };
const onReader = { path: { stream, subscription: "reader" } };
const onLate = { path: { stream, subscription: "late" } };
const READER = "/streams/{stream}/subscriptions/{subscription}";
type Event = components["schemas"]["LedgerEvent"];
const sequences = (events: readonly { readonly sequence: number }[]) =>
  events.map(({ sequence }) => sequence);

const made = await answer(api.POST("/streams", { body: { name: stream } }));

const twice = {
  params: { ...onStream, header: { "Idempotency-Key": "story-1" } },
  body: {
    events: [
      { key: "order-1", type: "order.placed", data: { total: 42 } },
      { key: "order-2", data: { total: 7 } },
    ],
  },
};
const first = await answer(api.POST("/streams/{stream}/events", twice));
const again = await answer(api.POST("/streams/{stream}/events", twice));
const publish = (body: components["schemas"]["NewEvent"]) =>
  answer(api.POST("/streams/{stream}/events", { params: onStream, body }));
const third = await publish({ key: "order-1", data: { total: 43 } });
const tombstone = await publish({ key: "order-2", data: null });
// @ts-expect-error: an event has no member of this name
publish.call.bind(null, null, { kye: "order-1", data: 1 });

await answer(
  api.POST("/streams/{stream}/subscriptions", { params: onStream, body: { name: "reader" } }),
);
const page = await answer(
  api.GET(`${READER}/poll`, { params: { ...onReader, query: { limit: 3 } } }),
);
const { stale } = await answer(
  api.POST(`${READER}/commit`, { params: onReader, body: { cursor: page.cursor } }),
);
const rest = await answer(api.POST(`${READER}/poll`, { params: onReader, body: {} }));
await answer(api.POST(`${READER}/poll`, { params: onReader, body: { commit: rest.cursor } }));

await answer(api.POST("/streams/{stream}/compact", { params: onStream }));
await answer(
  api.POST("/streams/{stream}/subscriptions", {
    params: onStream,
    body: { name: "late", start: "bootstrap" },
  }),
);
const state: Record<string, unknown> = {};
let late = await answer(api.GET(`${READER}/poll`, { params: onLate }));
for (let pages = 0; pages < 20; pages++) {
  for (const { key, data } of late.events as Event[]) {
    if (data === null) delete state[key];
    else state[key] = (data as { total: number }).total;
  }
  if (late.caughtUp) break;
  late = await answer(
    api.POST(`${READER}/poll`, { params: onLate, body: { commit: late.cursor } }),
  );
}

await answer(
  api.POST(`${READER}/seek`, { params: onReader, body: { to: { cursor: first.cursor } } }),
);
const sought = await answer(api.GET(`${READER}/poll`, { params: onReader }));
const missing = await api.GET("/streams/{stream}", { params: { path: { stream: "no-such" } } });
const { code, retry, status } = missing.error ?? {};

console.log(
  JSON.stringify({
    partitions: made.partitions,
    published: [first, again, third, tombstone].map(({ events }) => sequences(events)),
    polled: [page, rest].map(({ events }) => sequences(events)),
    stale,
    caughtUp: rest.caughtUp,
    state,
    consistent: late.consistent,
    sought: sequences(sought.events),
    problem: [code, retry, status],
  }),
);
