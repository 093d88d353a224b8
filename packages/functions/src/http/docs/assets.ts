import { readFile } from "node:fs/promises";
import type { LoadDocsAsset } from "../routes/system.ts";
import { startScript } from "./pages.ts";

const TYPES: Readonly<Record<string, string>> = {
  "openapi.json": "application/json",
  "problems.md": "text/markdown; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

/**
 * Loads the documentation's files, including the OpenAPI document, when they are first requested. A
 * cold start does not read them.
 */
export function docsAssetsFrom(fileOf: (name: string) => string | URL): LoadDocsAsset {
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  return async (name) => {
    if (name === "start.js") {
      const bytes = new TextEncoder().encode(startScript);
      return { bytes, contentType: "text/javascript; charset=utf-8" };
    }
    const contentType = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (contentType === undefined) return undefined;
    const bytes = loaded.get(name) ?? new Uint8Array(await readFile(fileOf(name)));
    loaded.set(name, bytes);
    return { bytes, contentType };
  };
}
