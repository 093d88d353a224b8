import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadDocsAsset, LoadOpenApi } from "../routes/system.ts";
import { startScript } from "./pages.ts";

const TYPES: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

/** The documentation's files from a folder, read when first asked for. */
export function docsAssetsFrom(folder: () => string): LoadDocsAsset {
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  return async (name) => {
    if (name === "start.js") {
      const bytes = new TextEncoder().encode(startScript);
      return { bytes, contentType: "text/javascript; charset=utf-8" };
    }
    const contentType = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (contentType === undefined) return undefined;
    const bytes = loaded.get(name) ?? new Uint8Array(await readFile(join(folder(), name)));
    loaded.set(name, bytes);
    return { bytes, contentType };
  };
}

/** The OpenAPI document from a file, read when first asked for: a cold start has no need of it. */
export function openApiFrom(file: string | URL): LoadOpenApi {
  let loading: Promise<string> | undefined;
  return () => {
    loading ??= readFile(file, "utf8");
    return loading;
  };
}

/** Where the documentation's files lie in an installed tree. */
export const installedDocsFolder = (): string =>
  dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/swagger-ui.css")));
