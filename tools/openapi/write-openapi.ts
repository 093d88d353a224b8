import { writeFile } from "node:fs/promises";
import { createApp } from "../../packages/functions/src/http/app.ts";
import { generateOpenApi } from "../../packages/functions/src/http/openapi.ts";

/** `npm run openapi` writes `openapi.json` from the routes. */
const unused = () => {
  throw new Error("Only the shape of the routes is looked at here");
};
const app = createApp({
  ledger: {} as never,
  authenticate: unused,
  loadDocsAsset: unused,
  loadConsoleFile: unused,
  logFailure: unused,
});
const document = generateOpenApi(app);
await writeFile(
  new URL("../../packages/functions/openapi.json", import.meta.url),
  `${JSON.stringify(document, null, 2)}\n`,
);
