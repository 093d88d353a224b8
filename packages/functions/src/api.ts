import { handle } from "hono/aws-lambda";
import { createApp } from "./http/app.ts";
import { docsAssetsFrom } from "./http/docs/assets.ts";
import { createRequestLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";

const config = readConfig(process.env);
const { ledger, authenticate, metrics } = openLedger(config);

/** The router function: every route of the API. */
export const handler = handle(
  createApp({
    ledger,
    authenticate,
    loadDocsAsset: docsAssetsFrom((name) => `docs/${name}`),
    logFailure: ({ requestId, error }) =>
      logLine({ level: "ERROR", requestId, ...describeError(error) }),
    onAnswered: createRequestLog(metrics, config),
  }),
);
