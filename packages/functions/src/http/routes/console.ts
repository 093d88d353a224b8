import { Hono } from "hono";
import { ancestorSources } from "../../portal-ancestors.ts";
import { PORTAL } from "../browser-headers.ts";
import { compressed } from "../compressed.ts";
import type { LoadConsoleFile } from "../console/files.ts";
import type { AppEnv } from "../env.ts";
import { operation } from "../operation.ts";

/**
 * The page runs only its own scripts and styles, calls only its own server, and lets no script turn
 * text into markup.
 */
const policyFor = (ancestors: readonly string[]): string =>
  [
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestorSources(ancestors)}`,
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

type ConsoleDeps = {
  readonly loadConsoleFile: LoadConsoleFile;
  readonly portalAncestors?: readonly string[] | undefined;
};

/**
 * The routes of the console and the portal. They need no key: the console asks for one, the portal
 * is given a token, and both send it in a header.
 */
export const consoleRoutes = ({ loadConsoleFile, portalAncestors = [] }: ConsoleDeps) => {
  const answerPage = async (name: string, ancestors: readonly string[]): Promise<Response> => {
    const page = await loadConsoleFile(name);
    if (page === undefined) throw new Error(`${name} was not deployed`);
    return new Response(page.bytes, {
      headers: {
        "Content-Type": page.contentType,
        "Content-Security-Policy": policyFor(ancestors),
        "Cache-Control": "no-cache",
      },
    });
  };
  return new Hono<AppEnv>()
    .get("/console", pageOperation, compressed, () => answerPage("index.html", []))
    .get(PORTAL, portalOperation, compressed, () => answerPage("portal.html", portalAncestors))
    .get("/console/assets/:file", fileOperation, compressed, async (c) => {
      const file = await loadConsoleFile(`assets/${c.req.param("file")}`);
      if (file === undefined) return c.notFound();
      return new Response(file.bytes, {
        headers: {
          "Content-Type": file.contentType,
          // The name contains a hash of the content.
          "Cache-Control": "public, max-age=31536000, immutable",
        },
      });
    });
};

const pageOperation = operation({
  id: "getConsole",
  tag: "system",
  summary: "Get the console",
  description:
    "A page for people: streams, events, subscriptions and keys. It loads nothing from other hosts.",
  answers: { 200: { description: "The page.", forms: { "text/html": "HtmlPage" } } },
});

const portalOperation = operation({
  id: "getPortal",
  tag: "system",
  summary: "Get the portal",
  description:
    "A page for a customer with a portal token: the customer's events, endpoints and deliveries. A site that the operator names can embed it.",
  answers: { 200: { description: "The page.", forms: { "text/html": "HtmlPage" } } },
});

const fileOperation = operation({
  id: "getConsoleFile",
  tag: "system",
  summary: "Get a file that the console loads",
  description:
    "Scripts and styles of the pages at /console and /portal. The content of a name never changes.",
  path: "AssetParams",
  answers: {
    200: { description: "The file.", forms: { "text/*": "Asset", "image/svg+xml": "Asset" } },
  },
  problems: ["route-not-found"],
});
