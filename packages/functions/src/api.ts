import { handle } from "hono/aws-lambda";
import { createApp } from "./http/app.ts";
import { docsAssetsFrom } from "./http/docs/assets.ts";
import { openLedger, readConfig } from "./open-ledger.ts";

const { ledger, authenticate } = openLedger(readConfig(process.env));

/** The router function: every route of the API. */
export const handler = handle(
  createApp({
    ledger,
    authenticate,
    loadDocsAsset: docsAssetsFrom(() => "docs"),
    logFailure: ({ requestId, error }) => console.error({ requestId, error }),
  }),
);
