import type { ProblemCode } from "@eventledger/protocol";
import { Hono } from "hono";
import * as z from "zod";
import { docsHeaders, docsPage, problemsPage } from "../docs/pages.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";

/** A file of the documentation page, by name; undefined when there is none of that name. */
export type LoadDocsAsset = (
  name: string,
) => Promise<{ bytes: Uint8Array<ArrayBuffer>; contentType: string } | undefined>;

/** The text of the OpenAPI document. */
export type LoadOpenApi = () => Promise<string>;

const Health = z.object({ status: z.literal("ok") }).meta({ id: "Health" });
const HealthQuery = z.strictObject({
  deep: z
    .enum(["0", "1"])
    .default("0")
    .meta({ description: "1 asks the table as well: ready, not only alive." }),
});

/** What is open to everybody: health, the OpenAPI document, the documentation. */
export const systemRoutes = ({
  ledger,
  loadOpenApi,
  loadDocsAsset,
}: RouteDeps & { loadOpenApi: LoadOpenApi; loadDocsAsset: LoadDocsAsset }) =>
  new Hono<AppEnv>()
    .get(
      "/health",
      operation({
        id: "health",
        tag: "system",
        summary: "Tell whether the service is alive",
        scope: "public",
        answers: { 200: { description: "It is.", body: Health } },
      }),
      valid("query", HealthQuery),
      async (c) => {
        if (c.req.valid("query").deep === "1") await ledger.checkTable();
        c.header("Cache-Control", "no-store");
        return c.json({ status: "ok" as const });
      },
    )
    .get("/openapi.json", openApiOperation, async () => {
      const headers = { "Content-Type": "application/json" };
      return new Response(await loadOpenApi(), { headers });
    })
    .get("/docs", docsOperation, () => new Response(docsPage, { headers: docsHeaders }))
    .get(
      "/docs/problems",
      problemsOperation,
      () => new Response(problemsPage, { headers: docsHeaders }),
    )
    .get("/docs/assets/:file", assetOperation, async (c) => {
      const asset = await loadDocsAsset(c.req.param("file"));
      if (asset === undefined) return c.notFound();
      return new Response(asset.bytes, {
        headers: { "Content-Type": asset.contentType, "Cache-Control": "public, max-age=3600" },
      });
    });

/** A file for anybody: nothing in these is secret. */
const file = (id: string, summary: string, contentType: string, problems: ProblemCode[] = []) =>
  operation({
    id,
    tag: "system",
    summary,
    scope: "public",
    answers: {
      200: { description: "It.", forms: { [contentType]: { schema: { type: "string" } } } },
    },
    problems,
  });

const openApiOperation = file("getOpenApi", "This document", "application/json");
const docsOperation = file("getDocs", "The documentation as a page", "text/html");
const problemsOperation = file("getProblems", "Every problem explained", "text/html");
const assetOperation = file("getDocsAsset", "A file of the documentation", "text/*", [
  "route-not-found",
]);
