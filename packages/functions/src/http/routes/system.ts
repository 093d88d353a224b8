import { described } from "@eventledger/protocol";
import { Hono } from "hono";
import * as z from "zod/mini";
import { compressed } from "../compressed.ts";
import { docsHeaders, docsPage, problemsPage } from "../docs/pages.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";

/** A file of the documentation page, by name; undefined when there is none of that name. */
export type LoadDocsAsset = (
  name: string,
) => Promise<{ bytes: Uint8Array<ArrayBuffer>; contentType: string } | undefined>;

const HealthQuery = z.strictObject({
  deep: described(z._default(z.enum(["0", "1"]), "0"), {
    description: "1 asks the table as well: ready, not only alive.",
  }),
});

/** What is open to everybody: health, the OpenAPI document, the documentation. */
export const systemRoutes = ({
  ledger,
  loadDocsAsset,
}: RouteDeps & { loadDocsAsset: LoadDocsAsset }) =>
  new Hono<AppEnv>()
    .get(
      "/health",
      operation({
        id: "health",
        tag: "system",
        summary: "Tell whether the service is alive",
        scope: "public",
        answers: { 200: { description: "It is.", body: "Health" } },
      }),
      valid("query", HealthQuery),
      async (c) => {
        if (c.req.valid("query").deep === "1") await ledger.checkTable();
        c.header("Cache-Control", "no-store");
        return c.json({ status: "ok" as const });
      },
    )
    .get("/openapi.json", openApiOperation, compressed, async () => {
      const document = await loadDocsAsset("openapi.json");
      if (document === undefined) throw new Error("openapi.json was not deployed");
      return new Response(document.bytes, { headers: { "Content-Type": document.contentType } });
    })
    .get("/docs", docsOperation, compressed, () => new Response(docsPage, { headers: docsHeaders }))
    .get(
      "/docs/problems",
      problemsOperation,
      compressed,
      () => new Response(problemsPage, { headers: docsHeaders }),
    )
    .get("/docs/assets/:file", assetOperation, compressed, async (c) => {
      const asset = await loadDocsAsset(c.req.param("file"));
      if (asset === undefined) return c.notFound();
      return new Response(asset.bytes, {
        headers: { "Content-Type": asset.contentType, "Cache-Control": "public, max-age=3600" },
      });
    });

/** Of what is sent as it is. */
const JSON_TYPE = /\bjson$/;

/** A file for anybody: nothing in these is secret. */
const file = (
  contentType: string,
  of: Pick<Parameters<typeof operation>[0], "id" | "summary" | "parameters" | "problems">,
) =>
  operation({
    ...of,
    tag: "system",
    scope: "public",
    answers: {
      200: {
        description: "The file.",
        forms: {
          [contentType]: { schema: { type: JSON_TYPE.test(contentType) ? "object" : "string" } },
        },
      },
    },
  });

const openApiOperation = file("application/json", { id: "getOpenApi", summary: "This document" });
const docsOperation = file("text/html", { id: "getDocs", summary: "This document as a page" });
const problemsOperation = file("text/html", { id: "getProblems", summary: "Explain all problems" });
const assetOperation = file("text/*", {
  id: "getDocsAsset",
  summary: "A file that the page loads",
  parameters: [{ name: "file", in: "path", required: true, schema: { type: "string" } }],
  problems: ["route-not-found"],
});
