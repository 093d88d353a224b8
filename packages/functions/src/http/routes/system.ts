import { described } from "@eventledger/protocol";
import { Hono } from "hono";
import * as z from "zod/mini";
import { compressed } from "../compressed.ts";
import { docsHeaders, docsPage } from "../docs/pages.ts";
import { problemsPage } from "../docs/problems-page.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { type Answer, type Operation, operation } from "../operation.ts";
import { valid } from "../validate.ts";

/** Returns a file of the documentation by its name, or undefined. */
export type LoadDocsAsset = (
  name: string,
) => Promise<{ bytes: Uint8Array<ArrayBuffer>; contentType: string } | undefined>;

const HealthQuery = z.strictObject({
  deep: described(z._default(z.enum(["0", "1"]), "0"), {
    description:
      "With 1, the server also asks the table, so the answer shows that the service is ready, not only alive.",
  }),
});

/** The routes that need no key: health, the OpenAPI document and the documentation. */
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
        description:
          "With `deep=1` it also checks that the table answers, and that the latest writes of this process did not fail. Otherwise it answers 503. It writes nothing itself.",
        answers: {
          200: {
            description: "The service is alive; with `deep=1` its table answers.",
            body: "Health",
          },
        },
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
    .get("/docs/problems", problemsOperation, compressed, async () => {
      const reference = await loadDocsAsset("problems.md");
      if (reference === undefined) throw new Error("problems.md was not deployed");
      const text = new TextDecoder().decode(reference.bytes);
      return new Response(problemsPage(text), { headers: docsHeaders });
    })
    .get("/docs/assets/:file", assetOperation, compressed, async (c) => {
      const asset = await loadDocsAsset(c.req.param("file"));
      if (asset === undefined) return c.notFound();
      return new Response(asset.bytes, {
        headers: { "Content-Type": asset.contentType, "Cache-Control": "public, max-age=3600" },
      });
    });

type File = Pick<Operation, "id" | "summary" | "description" | "path" | "problems">;

/** Declares a public file. */
const file = (forms: NonNullable<Answer["forms"]>, of: File) =>
  operation({
    ...of,
    tag: "system",
    answers: { 200: { description: "The requested document.", forms } },
  });

const openApiOperation = file(
  { "application/json": "OpenApiDocument" },
  {
    id: "getOpenApi",
    summary: "Get this document",
    description: "OpenAPI 3.1, made from the routes. Generate clients from it.",
  },
);
const docsOperation = file(
  { "text/html": "HtmlPage" },
  {
    id: "getDocs",
    summary: "Get this document as a page",
    description: "A page to read and to try requests on. It loads nothing from other hosts.",
  },
);
const problemsOperation = file(
  { "text/html": "HtmlPage" },
  {
    id: "getProblems",
    summary: "Explain all problems",
    description:
      "A page with every problem code, its cause and remedy, and whether to send the request again.",
  },
);
const assetOperation = file(
  { "text/*": "Asset" },
  {
    id: "getDocsAsset",
    summary: "Get a file that the page loads",
    description: "Scripts and styles of the page at /docs.",
    path: "AssetParams",
    problems: ["route-not-found"],
  },
);
