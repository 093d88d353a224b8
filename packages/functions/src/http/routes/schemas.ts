import { PutSchemas, StreamParams } from "@eventledger/protocol";
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
        description: "A stream without schemas has an empty object of them.",
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
          "Publishes are then checked, on every server within 5 s. Events that are there are not. A schema with a keyword that is not supported is refused.",
        answers: { 200: { description: "The new schemas.", body: "Schemas" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", PutSchemas),
      async (c) => {
        const { stream } = c.req.valid("param");
        const body = c.req.valid("json");
        const schemas = await c.var.act({ target: `/streams/${stream}`, request: body }, () =>
          ledger.putSchemas(c.var.caller.tenant, stream, body),
        );
        return c.json(schemas);
      },
    );
