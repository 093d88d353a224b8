import { writeFile } from "node:fs/promises";
import { createApp } from "../../packages/functions/src/http/app.ts";
import { generateOpenApi } from "../../packages/functions/src/http/openapi.ts";

/** Writes `openapi.json` from the routes: `npm run openapi`. */
const unused = () => {
  throw new Error("Only the shape of the routes is looked at here");
};
const app = createApp({
  ledger: {} as never,
  authenticate: unused,
  loadDocsAsset: unused,
  logFailure: unused,
});
const document = generateOpenApi(app);
await writeFile(
  new URL("../../packages/functions/openapi.json", import.meta.url),
  `${JSON.stringify(document, null, 2)}\n`,
);
