import {
  CompactedList,
  CompactedParams,
  CompactedQuery,
  CompactReceipt,
  LedgerEvent,
  StreamParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { printEvent } from "../formats/event-json.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** The compacted state of a stream: list it, look up one key, bring it up to date. */
export const compactedRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/compact",
      operation({
        id: "compactStream",
        tag: "compacted",
        summary: "Bring the compacted state up to the end of the stream now",
        description: "Bounded by time: call again while `done` is false.",
        scope: "publish",
        answers: { 200: { description: "What it has done.", body: CompactReceipt } },
        problems: ["stream-not-found", "numbering-at-risk", "outcome-unknown"],
      }),
      valid("param", StreamParams),
      async (c) => c.json(await ledger.compact(c.var.caller.tenant, c.req.valid("param").stream)),
    )
    .get(
      "/streams/:stream/compacted",
      operation({
        id: "listCompacted",
        tag: "compacted",
        summary: "List the current state of keys",
        description:
          "The state as of the moment of the first page. A key that is overwritten meanwhile may be missing: `follow` brings it. A page may be empty and not be the last.",
        scope: "consume",
        answers: { 200: { description: "A page of current states.", body: CompactedList } },
        problems: [
          "invalid-cursor",
          "stream-not-found",
          "not-compacted",
          "bootstrap-expired",
          "stream-busy",
          "compaction-stalled",
          "numbering-at-risk",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      valid("query", CompactedQuery),
      async (c) => {
        const { tenant } = c.var.caller;
        const { stream } = c.req.valid("param");
        const { items, ...rest } = await ledger.listCompacted(tenant, stream, c.req.valid("query"));
        const printed = `{"items":[${items.map(printEvent).join(",")}]`;
        return c.body(`${printed},${JSON.stringify(rest).slice(1)}`, 200, JSON_TYPE);
      },
    )
    .get(
      "/streams/:stream/compacted/:key",
      operation({
        id: "getCompacted",
        tag: "compacted",
        summary: "Look up the current state of a key",
        description:
          "The key is percent-encoded. `key-not-found` says in `deleted` whether its last event deleted it.",
        scope: "consume",
        answers: {
          200: {
            description: "The last event of the key.",
            body: LedgerEvent,
            headers: { ETag: "Changes with every event of the key." },
          },
          304: { description: "Nothing has changed since the ETag in If-None-Match." },
        },
        problems: ["stream-not-found", "key-not-found", "not-compacted"],
      }),
      valid("param", CompactedParams),
      async (c) => {
        const { stream, key } = c.req.valid("param");
        const { event, tag } = await ledger.getCompacted(c.var.caller.tenant, stream, key);
        const etag = `"${tag}"`;
        c.header("ETag", etag);
        c.header("Cache-Control", "no-cache");
        const known = c.req.header("if-none-match")?.split(/\s*,\s*/) ?? [];
        if (known.some((each) => each === "*" || each.replace(/^W\//, "") === etag)) {
          return c.body(null, 304);
        }
        return c.body(printEvent(event), 200, JSON_TYPE);
      },
    );
