import { Hono } from "hono";
import { compressed } from "../compressed.ts";
import type { LoadConsoleFile } from "../console/files.ts";
import type { AppEnv } from "../env.ts";
import { operation } from "../operation.ts";

/**
 * The page runs only its own scripts and styles, calls only its own server, and lets no script turn
 * text into markup.
 */
const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The routes of the console. They need no key: the page asks for one and sends it in a header. */
export const consoleRoutes = ({ loadConsoleFile }: { loadConsoleFile: LoadConsoleFile }) =>
  new Hono<AppEnv>()
    .get("/console", pageOperation, compressed, async () => {
      const page = await loadConsoleFile("index.html");
      if (page === undefined) throw new Error("the console was not deployed");
      return new Response(page.bytes, {
        headers: {
          "Content-Type": page.contentType,
          "Content-Security-Policy": POLICY,
          "Cache-Control": "no-cache",
        },
      });
    })
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

const pageOperation = operation({
  id: "getConsole",
  tag: "system",
  summary: "Get the console",
  description:
    "A page for people: streams, events, subscriptions and keys. It loads nothing from other hosts.",
  answers: { 200: { description: "The page.", forms: { "text/html": "HtmlPage" } } },
});

const fileOperation = operation({
  id: "getConsoleFile",
  tag: "system",
  summary: "Get a file that the console loads",
  description: "Scripts and styles of the page at /console. A name belongs to one content.",
  path: "AssetParams",
  answers: {
    200: { description: "The file.", forms: { "text/*": "Asset", "image/svg+xml": "Asset" } },
  },
  problems: ["route-not-found"],
});
