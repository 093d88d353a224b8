import { createApp } from "./http/app.ts";
import { consoleFilesFrom } from "./http/console/files.ts";
import { docsAssetsFrom } from "./http/docs/assets.ts";
import type { LogFailure } from "./http/problem.ts";
import { createHttpHandler } from "./lambda/handler.ts";
import { createStreamedHandler, type StreamingRuntime } from "./lambda/streamed.ts";
import { createRequestLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";
import { openPushFrom } from "./push/open-push.ts";
import { readStreamSecondsMax } from "./stream-seconds.ts";

const config = readConfig(process.env);
const push = openPushFrom(process.env);
const { ledger, authenticate, corsOrigins, portalAncestors, metrics } = openLedger({
  ...config,
  push,
});

const logFailure: LogFailure = ({ requestId, error }) =>
  logLine({ level: "ERROR", requestId, ...describeError(error) });

declare const awslambda: StreamingRuntime;

const app = createApp({
  ledger,
  authenticate,
  corsOrigins,
  portalAncestors,
  loadDocsAsset: docsAssetsFrom((name) => `docs/${name}`),
  loadConsoleFile: consoleFilesFrom(() => "console"),
  logFailure,
});
const onAnswered = createRequestLog(metrics, config);
const streamsForMs = readStreamSecondsMax(process.env.EVENTLEDGER_STREAM_SECONDS_MAX) * 1_000;

/**
 * The router function: every route of the API. A stage has one entry point. An HTTP API takes whole
 * answers, and a Function URL takes streams unless they are off.
 */
export const handler =
  streamsForMs === 0
    ? createHttpHandler({ app, logFailure, onAnswered })
    : createStreamedHandler(awslambda, { app, onAnswered, streamsForMs });
