import {
  ApiKeyParams,
  CreateApiKey,
  LIMITS,
  ListQuery,
  RevokeQuery,
  RotateApiKey,
} from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { jsonOrNothing, requireJson, valid } from "../validate.ts";

/** Routes for the API keys of the caller's tenant: create, list, rotate, revoke. */
export const keyRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/keys",
      operation({
        id: "createKey",
        tag: "keys",
        summary: "Create an API key",
        description:
          "The key is shown only in this answer. It can have no more rights than the key that creates it.",
        answers: {
          201: {
            description: "The key was created.",
            body: "NewApiKey",
            headers: { Location: "The key's URL." },
          },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      requireJson,
      valid("json", CreateApiKey),
      async (c) => {
        const body = c.req.valid("json");
        const made = await c.var.act(
          { target: "/keys", request: body, made: ({ id }) => `/keys/${id}` },
          () => ledger.access.createKey(c.var.caller, body),
        );
        c.header("Location", `/keys/${made.id}`);
        return c.json(made, 201, NOT_STORED);
      },
    )
    .get(
      "/keys",
      operation({
        id: "listKeys",
        tag: "keys",
        summary: "List API keys by id",
        description: "Lists the keys that have no more rights than the caller's.",
        answers: {
          200: { description: "A page of keys, without their secrets.", body: "ApiKeyList" },
        },
        problems: ["invalid-cursor"],
      }),
      valid("query", ListQuery),
      async (c) => c.json(await ledger.access.listKeys(c.var.caller, c.req.valid("query"))),
    )
    .get(
      "/keys/:id",
      operation({
        id: "getKey",
        tag: "keys",
        summary: "Describe an API key",
        description:
          "Shows the key without its secret. A key with more rights than the caller's is not found.",
        answers: { 200: { description: "The key.", body: "ApiKey" } },
        problems: ["api-key-not-found"],
      }),
      valid("param", ApiKeyParams),
      async (c) => c.json(await ledger.access.getKey(c.var.caller, c.req.valid("param").id)),
    )
    .delete(
      "/keys/:id",
      operation({
        id: "revokeKey",
        tag: "keys",
        summary: "Revoke an API key",
        description: `Takes effect everywhere within ${LIMITS.revocationSecondsMax} s. With \`cascade=true\` it also revokes the keys that this key created, and the keys that they created. After a lost answer, send the request again.`,
        answers: { 204: { description: "The key is revoked." } },
        problems: ["api-key-not-found", "outcome-unknown"],
      }),
      valid("param", ApiKeyParams),
      valid("query", RevokeQuery),
      async (c) => {
        const cascade = c.req.valid("query").cascade === "true";
        const { id } = c.req.valid("param");
        await c.var.act({ target: `/keys/${id}`, request: { cascade } }, () =>
          ledger.access.revokeKey(c.var.caller, id, { cascade }),
        );
        return c.body(null, 204);
      },
    )
    .post(
      "/keys/:id/rotate",
      operation({
        id: "rotateKey",
        tag: "keys",
        summary: "Give an API key a new secret",
        description:
          "The new key is shown only in this answer. The former secret stays valid for the overlap.",
        answers: { 200: { description: "The key with its new secret.", body: "RotatedApiKey" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          "api-key-not-found",
          "outcome-unknown",
        ],
      }),
      valid("param", ApiKeyParams),
      jsonOrNothing,
      valid("json", RotateApiKey),
      async (c) => {
        const { id } = c.req.valid("param");
        const body = c.req.valid("json");
        const rotated = await c.var.act({ target: `/keys/${id}`, request: body }, () =>
          ledger.access.rotateKey(c.var.caller, id, body),
        );
        return c.json(rotated, 200, NOT_STORED);
      },
    );

/** No cache may store an answer that contains a secret. */
const NOT_STORED = { "Cache-Control": "no-store" };
