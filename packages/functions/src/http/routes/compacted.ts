import { invalidRequest } from "@eventledger/core";
import { CompactedParams, CompactedQuery, StreamParams } from "@eventledger/protocol";
import { type Context, Hono } from "hono";
import { compressed, lengthOf } from "../compressed.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { printEvent } from "../formats/event-json.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";
import { assertCoversKey, narrowed } from "../within.ts";

/** The current state of every key, without a subscription. */
export const compactedRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/compact",
      operation({
        id: "compactStream",
        tag: "compacted",
        summary: "Bring the compacted state up to the end of the stream now",
        description:
          "Compaction runs by itself; this does it at once. Call again while `done` is false.",
        answers: {
          200: {
            description: "How much was compacted, and whether more remains.",
            body: "CompactReceipt",
          },
        },
        problems: ["stream-not-found", "numbering-at-risk", "outcome-unknown"],
      }),
      valid("param", StreamParams),
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
        summary: "Make a stream publishable again that answers numbering-at-risk",
        description:
          "Moves the numbering forward, far beyond any number that may have been used. What was published before can no longer be read from the log; the compacted state stays.",
        answers: {
          200: { description: "How many partitions were repaired.", body: "RepairReceipt" },
        },
        problems: ["stream-not-found", "outcome-unknown"],
      }),
      valid("param", StreamParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        const repaired = await ledger.repairNumbering(c.var.caller.tenant, stream);
        return c.json({ repaired: Object.keys(repaired).length });
      },
    )
    .get(
      "/streams/:stream/compacted",
      operation({
        id: "listCompacted",
        tag: "compacted",
        summary: "List the current state of every key",
        description:
          "A key that changes while the list is read may be missing from it; reading on from `follow` then brings it. With `key` it answers the state of that key alone.",
        headers: "ConditionHeaders",
        answers: {
          200: {
            description: "A page of current states; with `key` one state.",
            body: ["CompactedList", "LedgerEvent"],
            headers: {
              ETag: "With `key` only: changes with the state; good for If-None-Match.",
              "EventLedger-Life": "With `key` only: the life of the stream.",
            },
          },
          304: {
            description: "With `key` only: the state is still the one of If-None-Match.",
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
          return stateResponse(c, await ledger.getCompacted(caller.tenant, stream, key));
        }
        const { pointer, prefix } = onePrefix(range);
        // A list delays the removal of what comes after it, so that a reader can go on from there.
        if (c.req.method === "HEAD") {
          await ledger.getStream(caller.tenant, stream);
          return c.body(null, 200, { "Content-Type": "application/json" });
        }
        const page = await ledger.listCompacted(caller.tenant, stream, {
          ...range,
          prefix: narrowed(caller, prefix, pointer),
        });
        const { items, ...members } = page;
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
            description: "The key's last event, as far as compaction has come.",
            body: "LedgerEvent",
            headers: {
              ETag: "Changes with the state; good for If-None-Match.",
              "EventLedger-Life": "The life of the stream.",
            },
          },
          304: {
            description: "The state is still the one of If-None-Match.",
            headers: { ETag: "The same as before." },
          },
        },
        problems: ["stream-not-found", "key-not-found", "not-compacted"],
      }),
      valid("param", CompactedParams),
      async (c) => {
        const { stream, key } = c.req.valid("param");
        assertCoversKey(c.var.caller, key, "/path/key");
        return stateResponse(c, await ledger.getCompacted(c.var.caller.tenant, stream, key));
      },
    );

type State = Awaited<ReturnType<RouteDeps["ledger"]["getCompacted"]>>;

/** The state of one key, unless the client has it. */
function stateResponse(c: Context<AppEnv>, { event, tag, life }: State): Response {
  const etag = `"${tag}"`;
  const known = c.req.header("if-none-match")?.split(/\s*,\s*/) ?? [];
  // Weak ones as well: a state that is sent compressed has one.
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

/** A key has one state. Parameters that choose among several would be ignored. */
function assertAlone({ cursor, keyPrefix, prefix }: CompactedQuery): void {
  for (const [name, value] of Object.entries({ cursor, keyPrefix, prefix })) {
    if (value !== undefined) throw invalidRequest(`/query/${name}`, "must not stand beside `key`");
  }
}

/** The prefix by its name or its former one. */
function onePrefix({ keyPrefix, prefix }: CompactedQuery) {
  if (keyPrefix === undefined) return { pointer: "/query/prefix", prefix };
  if (prefix === undefined) return { pointer: "/query/keyPrefix", prefix: keyPrefix };
  throw invalidRequest("/query/prefix", "does not go with keyPrefix, of which it is a former name");
}
