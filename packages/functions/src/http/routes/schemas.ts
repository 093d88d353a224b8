import { PutSchemas, PutSchemasQuery, StreamParams } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** The schemas of the events of a stream. */
export const schemaRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .get(
      "/streams/:stream/schemas",
      operation({
        id: "getSchemas",
        tag: "streams",
        summary: "Get the schemas of a stream's events",
        description: "The object is empty if the stream has no schemas.",
        answers: { 200: { description: "The schemas.", body: "Schemas" } },
        problems: ["stream-not-found"],
      }),
      valid("param", StreamParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.getSchemas(c.var.caller.tenant, stream));
      },
    )
    .put(
      "/streams/:stream/schemas",
      operation({
        id: "putSchemas",
        tag: "streams",
        summary: "Replace the schemas of a stream's events",
        description:
          "Within 5 s every server checks new events by them. Events that are already in the stream are not checked. A schema with a keyword that is not supported is refused, and so is a change that the mode of compatibility forbids, or that breaks a field which a subscription reads.",
        answers: { 200: { description: "The new schemas.", body: "Schemas" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "incompatible-schemas",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      valid("query", PutSchemasQuery),
      requireJson,
      valid("json", PutSchemas),
      async (c) => {
        const { stream } = c.req.valid("param");
        const body = c.req.valid("json");
        // A value may be nested so deeply that even the audit stream could not have it.
        ledger.assertSchemas(body);
        const force = c.req.valid("query").force === "true";
        const request = { ...body, ...(force ? { force } : {}) };
        const schemas = await c.var.act({ target: `/streams/${stream}`, request }, () =>
          ledger.putSchemas(c.var.caller.tenant, stream, body, { force }),
        );
        return c.json(schemas);
      },
    )
    .post(
      "/streams/:stream/schemas/check",
      operation({
        id: "checkSchemas",
        tag: "streams",
        summary: "Check what a change of schemas would do",
        description:
          "Compares schemas with the present ones, and changes nothing. `breaks` names the subscriptions that read a field which the change breaks.",
        answers: { 200: { description: "What the change would do.", body: "SchemaCheck" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "unsupported-media-type",
        ],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", PutSchemas),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.checkSchemas(c.var.caller.tenant, stream, c.req.valid("json")));
      },
    );
