import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { createApp } from "../../packages/functions/src/http/app.ts";
import { generateOpenApi } from "../../packages/functions/src/http/openapi.ts";

const COMMITTED = new URL("../../packages/functions/openapi.json", import.meta.url);

const unused = () => expect.fail("Only the shape of the routes is looked at here");
const app = createApp({
  ledger: {} as never,
  authenticate: unused,
  loadDocsAsset: unused,
  loadConsoleFile: unused,
  logFailure: unused,
});
const text = await readFile(COMMITTED, "utf8");
const committed: { paths: Record<string, object> } = JSON.parse(text);

it("[openapi.routes] the committed document equals the generated one: npm run openapi", async () => {
  const generated = await generateOpenApi(app);
  expect(committed).toEqual(JSON.parse(JSON.stringify(generated)));
  expect(text).toBe(`${JSON.stringify(generated, null, 2)}\n`);
});

it("[openapi.routes] every route has an operation, and every operation a route", () => {
  const routes = app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  const operations = Object.entries(committed.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.toSorted()).toEqual([...new Set(routes)].sort());
});
