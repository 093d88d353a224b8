import { CreatePortalToken } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** The route that makes tokens for customers. */
export const portalRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>().post(
    "/portal-tokens",
    operation({
      id: "createPortalToken",
      tag: "keys",
      summary: "Make a portal token",
      description:
        "The token gives a customer a part of some streams for at most a day. It is signed and not stored. It ends when it expires, when the API key that made it is revoked, or when the key that signs cursors is removed.",
      answers: { 201: { description: "The token, shown this once.", body: "NewPortalToken" } },
      problems: [
        "malformed-json",
        "request-too-large",
        "unsupported-media-type",
        "stream-not-found",
        "subscription-not-found",
      ],
    }),
    requireJson,
    valid("json", CreatePortalToken),
    async (c) => {
      const body = c.req.valid("json");
      const made = await c.var.act(
        { target: "/portal-tokens", request: body, made: ({ id }) => `/portal-tokens/${id}` },
        () => ledger.createPortalToken(c.var.caller, body),
      );
      return c.json(made, 201, { "Cache-Control": "no-store" });
    },
  );
