import { invalidRequest, printEvent } from "@eventledger/core";
import {
  CompactedParams,
  CompactedQuery,
  ReadableParams,
  StreamParams,
} from "@eventledger/protocol";
import { type Context, Hono } from "hono";
import { compressed, lengthOf } from "../compressed.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { noteDelivered } from "../use.ts";
import { valid } from "../validate.ts";
import { assertCoversKey, assertOfLife, narrowed } from "../within.ts";

/** The current state of every key, without a subscription. */
export const compactedRoutes = ({ ledger }: RouteDeps) => {
  /** Answers the state of one key. */
  const answerState = async (c: Context<AppEnv>, stream: string, key: string) => {
    const state = await ledger.getCompacted(c.var.caller.tenant, stream, key);
    assertOfLife(c.var.caller, stream, state.life);
    noteDelivered(c, { ledger }, stream, [state.event]);
    return stateResponse(c, state);
  };

  return new Hono<AppEnv>()
    .post(
      "/streams/:stream/compact",
      operation({
        id: "compactStream",
        tag: "compacted",
        summary: "Bring the compacted state up to the end of the stream now",
        description:
          "Compaction also runs by itself; this call runs it at once. Call again while `done` is false.",
        answers: {
          200: {
            description: "How much this call compacted, and whether more remains.",
            body: "CompactReceipt",
          },
        },
        problems: ["stream-not-found", "numbering-at-risk", "outcome-unknown"],
      }),
      valid("param", ReadableParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.compact(c.var.caller.tenant, stream));
      },
    )
    .post(
      "/streams/:stream/repair-numbering",
      operation({
        id: "repairNumbering",
        tag: "compacted",
        summary: "Repair a stream whose publishes answer numbering-at-risk",
        description:
          "Moves the numbering forward, far beyond any number that may have been used. Events that were published before can no longer be read from the log; the compacted state stays.",
        answers: {
          200: {
            description: "How many partitions this call repaired, and whether more remain.",
            body: "RepairReceipt",
          },
        },
        problems: ["stream-not-found", "outcome-unknown"],
      }),
      valid("param", ReadableParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        const target = `/streams/${stream}`;
        const { repaired, done } = await c.var.act({ target, repairs: true }, () =>
          ledger.repairNumbering(c.var.caller.tenant, stream),
        );
        return c.json({ repaired: Object.keys(repaired).length, done });
      },
    )
    .get(
      "/streams/:stream/compacted",
      operation({
        id: "listCompacted",
        tag: "compacted",
        summary: "List the current state of every key",
        description:
          "A key that changes while the list is read may be missing from it; its new state is among the events after `follow`. With `since` the list has only the keys that changed since a cursor, including deleted keys. With `key` the answer is the state of that key alone.",
        headers: "ConditionHeaders",
        answers: {
          200: {
            description: "A page of current states, or with `key` one state.",
            body: ["CompactedList", "LedgerEvent"],
            headers: {
              ETag: "With `key` only. It changes with the state and can be sent as If-None-Match.",
              "EventLedger-Life": "With `key` only. The life of the stream.",
            },
          },
          304: {
            description: "With `key` only. The state still has the ETag of If-None-Match.",
            headers: { ETag: "The same as before." },
          },
        },
        problems: [
          "key-not-found",
          "invalid-cursor",
          "stream-not-found",
          "not-compacted",
          "compaction-stalled",
          "bootstrap-expired",
          "changes-passed",
          "stream-busy",
        ],
      }),
      compressed,
      valid("param", StreamParams),
      valid("query", CompactedQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { caller } = c.var;
        const { key, ...range } = c.req.valid("query");
        if (key !== undefined) {
          assertAlone(range);
          assertCoversKey(caller, key, "/query/key");
          return answerState(c, stream, key);
        }
        assertOnePlace(range);
        const { pointer, prefix } = onePrefix(range);
        // Reading a list delays the removal of later events so that the reader can continue. HEAD
        // must not do that.
        if (c.req.method === "HEAD") {
          await ledger.getStream(caller.tenant, stream);
          return c.body(null, 200, { "Content-Type": "application/json" });
        }
        const page = await ledger.listCompacted(caller.tenant, stream, {
          ...range,
          prefix: narrowed(caller, prefix, pointer),
        });
        assertOfLife(caller, stream, page.life);
        const { items, ...members } = page;
        noteDelivered(c, { ledger }, stream, items);
        const printed = items.map(printEvent).join(",");
        const body = `{"items":[${printed}],${JSON.stringify(members).slice(1)}`;
        return c.body(body, 200, { "Content-Type": "application/json", ...lengthOf(body) });
      },
    )
    .get(
      "/streams/:stream/compacted/:key",
      operation({
        id: "getCompacted",
        tag: "compacted",
        summary: "Get the current state of one key",
        description:
          "The key is one percent-encoded path segment. `deleted` in a 404 tells a deleted key from an unknown one, as long as its tombstone is kept.",
        headers: "ConditionHeaders",
        answers: {
          200: {
            description: "The key's last event among those that are compacted.",
            body: "LedgerEvent",
            headers: {
              ETag: "It changes with the state and can be sent as If-None-Match.",
              "EventLedger-Life": "The life of the stream.",
            },
          },
          304: {
            description: "The state still has the ETag of If-None-Match.",
            headers: { ETag: "The same as before." },
          },
        },
        problems: ["stream-not-found", "key-not-found", "not-compacted"],
      }),
      valid("param", CompactedParams),
      async (c) => {
        const { stream, key } = c.req.valid("param");
        assertCoversKey(c.var.caller, key, "/path/key");
        return answerState(c, stream, key);
      },
    );
};

type State = Awaited<ReturnType<RouteDeps["ledger"]["getCompacted"]>>;

/** Returns the state of one key, or a 304 when the client already has it. */
function stateResponse(c: Context<AppEnv>, { event, tag, life }: State): Response {
  const etag = `"${tag}"`;
  const known = c.req.header("if-none-match")?.split(/\s*,\s*/) ?? [];
  // A state that was sent compressed has a weak ETag, so weak ETags match as well.
  if (known.some((each) => each.replace(/^W\//, "") === etag))
    return c.body(null, 304, { ETag: etag });
  const body = printEvent(event);
  return c.body(body, 200, {
    "Content-Type": "application/json",
    ETag: etag,
    "EventLedger-Life": life,
    ...lengthOf(body),
  });
}

/** A key has one state, so parameters that select among several states are refused. */
function assertAlone({ cursor, keyPrefix, prefix, parts, since }: CompactedQuery): void {
  for (const [name, value] of Object.entries({ cursor, keyPrefix, prefix, parts, since })) {
    if (value !== undefined)
      throw invalidRequest(`/query/${name}`, "must not be sent together with `key`");
  }
}

/** The cursor of a list goes on with the list that it belongs to, so `since` would be ignored. */
function assertOnePlace({ cursor, since }: CompactedQuery): void {
  if (cursor === undefined || since === undefined) return;
  throw invalidRequest("/query/since", "must not be sent together with `cursor`");
}

/** Returns the key prefix, which may come under its current or its former name. */
function onePrefix({ keyPrefix, prefix }: CompactedQuery) {
  if (keyPrefix === undefined) return { pointer: "/query/prefix", prefix };
  if (prefix === undefined) return { pointer: "/query/keyPrefix", prefix: keyPrefix };
  throw invalidRequest(
    "/query/prefix",
    "is the former name of keyPrefix, and must not be sent together with it",
  );
}
