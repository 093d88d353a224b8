import { createApp } from "./http/app.ts";
import { consoleFilesFrom } from "./http/console/files.ts";
import { docsAssetsFrom } from "./http/docs/assets.ts";
import type { LogFailure } from "./http/problem.ts";
import { createHttpHandler } from "./lambda/handler.ts";
import { createRequestLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";
import { openPushFrom } from "./push/open-push.ts";

const config = readConfig(process.env);
const push = openPushFrom(process.env);
const { ledger, authenticate, corsOrigins, metrics } = openLedger({ ...config, push });

const logFailure: LogFailure = ({ requestId, error }) =>
  logLine({ level: "ERROR", requestId, ...describeError(error) });

/** The router function: every route of the API. */
export const handler = createHttpHandler({
  app: createApp({
    ledger,
    authenticate,
    corsOrigins,
    loadDocsAsset: docsAssetsFrom((name) => `docs/${name}`),
    loadConsoleFile: consoleFilesFrom(() => "console"),
    logFailure,
  }),
  logFailure,
  onAnswered: createRequestLog(metrics, config),
});
