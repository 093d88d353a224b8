import { type Caller, coversStream, isRoot, tenantOf } from "@eventledger/core";
import { UsageQuery } from "@eventledger/protocol";
import { Hono } from "hono";
import { forbidden } from "../auth.ts";
import { lengthOf } from "../compressed.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { wantsCsv } from "../formats/accept.ts";
import { CSV, printUsage } from "../formats/csv.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";

/** What streams, keys and tenants have used. */
export const usageRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>().get(
    "/usage",
    operation({
      id: "getUsage",
      tag: "usage",
      summary: "Get what streams, keys or tenants used, by hour or day",
      description:
        "Published and stored come from the log and are exact. Delivered events and requests are counted by the servers, which add them up once a minute.",
      answers: {
        200: {
          description: "A page of usage.",
          body: "UsageList",
          forms: { [CSV]: "UsageLines" },
          headers: {
            "EventLedger-Counted-To": "The member `countedTo` of a page in CSV.",
            "EventLedger-Cursor": "The member `cursor` of a page in CSV, absent at the end.",
          },
        },
      },
      problems: ["invalid-cursor"],
    }),
    valid("query", UsageQuery),
    async (c) => {
      const { caller } = c.var;
      const query = c.req.valid("query");
      const reach = reachOf(caller, query);
      const tenant = query.tenant === undefined ? caller.tenant : tenantOf(query.tenant);
      const page = await ledger.getUsage(tenant, query, reach);
      c.header("Vary", "Accept");
      if (!wantsCsv(c.req.header("accept"))) return c.json(page);
      const body = printUsage(page.usage);
      return c.body(body, 200, {
        "Content-Type": `${CSV}; charset=utf-8; header=present`,
        "EventLedger-Counted-To": page.countedTo,
        ...(page.cursor === null ? {} : { "EventLedger-Cursor": page.cursor }),
        ...lengthOf(body),
      });
    },
  );

/**
 * Returns what the caller may see. Totals of a key or a tenant reveal other streams, so a key that
 * covers only some streams gets none.
 */
function reachOf(caller: Caller, { by, tenant }: UsageQuery) {
  if (tenant !== undefined && tenant !== caller.tenant && !isRoot(caller)) {
    throw forbidden("The usage of another tenant needs the admin key of this installation.");
  }
  const covers = (stream: string) => coversStream(caller, stream);
  if (by !== "stream" && !caller.streams.includes("*")) {
    throw forbidden(`The usage by ${by} needs an API key that covers all streams.`);
  }
  return { covers, everyTenant: by === "tenant" && tenant === undefined && isRoot(caller) };
}
