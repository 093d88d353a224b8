import { tenantOf } from "@eventledger/core";
import { KeyQuota, KeyQuotaParams, TenantParams, TenantQuota } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

const BODY_PROBLEMS = [
  "malformed-json",
  "request-too-large",
  "unsupported-media-type",
  "outcome-unknown",
] as const;

/** The limits of tenants and keys. */
export const quotaRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .get(
      "/tenants/:tenant/quota",
      operation({
        id: "getTenantQuota",
        tag: "tenants",
        summary: "Get the limits of a tenant",
        description: "The answer is empty if the tenant has no limits.",
        answers: { 200: { description: "The limits.", body: "TenantQuotaView" } },
      }),
      valid("param", TenantParams),
      async (c) => c.json(await ledger.getTenantQuota(tenantOf(c.req.valid("param").tenant))),
    )
    .put(
      "/tenants/:tenant/quota",
      operation({
        id: "setTenantQuota",
        tag: "tenants",
        summary: "Replace the limits of a tenant",
        description: "Every server follows within a minute. An empty object removes all limits.",
        answers: { 200: { description: "The new limits.", body: "TenantQuotaView" } },
        problems: [...BODY_PROBLEMS],
      }),
      valid("param", TenantParams),
      requireJson,
      valid("json", TenantQuota),
      async (c) => {
        const tenant = tenantOf(c.req.valid("param").tenant);
        const body = c.req.valid("json");
        const target = `/tenants/${tenant}/quota`;
        const quota = await c.var.act({ target, request: body }, () =>
          ledger.setTenantQuota(tenant, body),
        );
        return c.json(quota);
      },
    )
    .get(
      "/keys/:id/quota",
      operation({
        id: "getKeyQuota",
        tag: "keys",
        summary: "Get the limits of an API key",
        description: "The answer is empty if the key has no limits.",
        answers: { 200: { description: "The limits.", body: "KeyQuotaView" } },
        problems: ["api-key-not-found"],
      }),
      valid("param", KeyQuotaParams),
      async (c) => c.json(await ledger.getKeyQuota(c.var.caller, c.req.valid("param").id)),
    )
    .put(
      "/keys/:id/quota",
      operation({
        id: "setKeyQuota",
        tag: "keys",
        summary: "Replace the limits of an API key",
        description: "Every server follows within a minute. An empty object removes all limits.",
        answers: { 200: { description: "The new limits.", body: "KeyQuotaView" } },
        problems: [...BODY_PROBLEMS, "api-key-not-found"],
      }),
      valid("param", KeyQuotaParams),
      requireJson,
      valid("json", KeyQuota),
      async (c) => {
        const { id } = c.req.valid("param");
        const body = c.req.valid("json");
        const quota = await c.var.act({ target: `/keys/${id}/quota`, request: body }, () =>
          ledger.setKeyQuota(c.var.caller, id, body),
        );
        return c.json(quota);
      },
    );
