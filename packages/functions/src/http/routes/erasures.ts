import {
  CreateErasure,
  ErasureParams,
  ListQuery,
  StreamParams,
  VerifyErasureQuery,
} from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** Erases the data of a key, and proves it. */
export const erasureRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/erasures",
      operation({
        id: "createErasure",
        tag: "erasures",
        summary: "Erase the data of a key",
        description:
          "Removes the data and the headers of all events of the key so far from the table, the compacted state and the archive, and appends a tombstone. Sequences, keys, types, ids and times stay. The request begins the work, and sweeps finish it.",
        answers: {
          202: {
            description: "The erasure. It is durable and will be finished.",
            body: "Erasure",
            headers: { Location: "The erasure's URL." },
          },
        },
        problems: ["malformed-json", "stream-not-found", "too-many-erasures", "outcome-unknown"],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", CreateErasure),
      async (c) => {
        const { stream } = c.req.valid("param");
        const body = c.req.valid("json");
        const target = `/streams/${stream}/erasures`;
        const made = await c.var.act(
          { target, request: body, made: ({ id }) => `${target}/${id}` },
          () => ledger.createErasure(c.var.caller.tenant, stream, body),
        );
        c.header("Location", `${target}/${made.id}`);
        return c.json(made, 202);
      },
    )
    .get(
      "/streams/:stream/erasures",
      operation({
        id: "listErasures",
        tag: "erasures",
        summary: "List the erasures of a stream",
        description: "Lists them oldest first, without the subscriptions that have passed them.",
        answers: { 200: { description: "A page of erasures.", body: "ErasureList" } },
        problems: ["stream-not-found", "invalid-cursor"],
      }),
      valid("param", StreamParams),
      valid("query", ListQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.listErasures(c.var.caller.tenant, stream, c.req.valid("query")));
      },
    )
    .get(
      "/streams/:stream/erasures/:erasure",
      operation({
        id: "getErasure",
        tag: "erasures",
        summary: "Get the receipt of an erasure",
        description: "The receipt is kept until the stream is deleted.",
        answers: {
          200: {
            description: "The erasure, and which subscriptions have passed its tombstone.",
            body: "Erasure",
          },
        },
        problems: ["stream-not-found", "erasure-not-found"],
      }),
      valid("param", ErasureParams),
      async (c) => {
        const { stream, erasure } = c.req.valid("param");
        return c.json(await ledger.getErasure(c.var.caller.tenant, stream, erasure));
      },
    )
    .post(
      "/streams/:stream/erasures/:erasure/verify",
      operation({
        id: "verifyErasure",
        tag: "erasures",
        summary: "Check that the data of an erasure is gone",
        description:
          "Reads everything that the table and the archive have of the key's partitions. Call again with its `cursor` until that is null.",
        answers: { 200: { description: "The result.", body: "ErasureCheck" } },
        problems: ["stream-not-found", "erasure-not-found", "invalid-cursor"],
      }),
      valid("param", ErasureParams),
      valid("query", VerifyErasureQuery),
      async (c) => {
        const { stream, erasure } = c.req.valid("param");
        const { cursor } = c.req.valid("query");
        return c.json(await ledger.verifyErasure(c.var.caller.tenant, stream, erasure, cursor));
      },
    );
