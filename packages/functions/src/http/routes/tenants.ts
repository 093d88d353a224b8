import { CreateTenant, ListQuery } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** Routes for tenants. They need the admin key. */
export const tenantRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/tenants",
      operation({
        id: "createTenant",
        tag: "tenants",
        summary: "Create a tenant with a key that has all rights in it",
        description:
          "Sending the same body again answers 200 and creates one more key. Use this when the keys of a tenant are lost.",
        answers: {
          201: { description: "The tenant was created.", body: "NewTenant" },
          200: { description: "The tenant already existed; the key is new.", body: "NewTenant" },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      requireJson,
      valid("json", CreateTenant),
      async (c) => {
        const body = c.req.valid("json");
        const { tenant, created } = await c.var.act(
          { target: `/tenants/${body.name}`, request: body },
          () => ledger.access.createTenant(c.var.caller, body),
        );
        return c.json(tenant, created ? 201 : 200, { "Cache-Control": "no-store" });
      },
    )
    .get(
      "/tenants",
      operation({
        id: "listTenants",
        tag: "tenants",
        summary: "List tenants by name",
        description: "The tenant `default`, which is always there, is not listed.",
        answers: { 200: { description: "A page of tenants.", body: "TenantList" } },
        problems: ["invalid-cursor"],
      }),
      valid("query", ListQuery),
      async (c) => c.json(await ledger.access.listTenants(c.req.valid("query"))),
    );
