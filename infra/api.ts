import { execFileSync } from "node:child_process";
import { archiveAccess, archived } from "./archive.ts";
import { quiet } from "./logs.ts";
import { OBJECT_OPERATIONS, OPERATIONS } from "./operations.ts";
import { adminKey, cursorKey, pushKey } from "./secrets.ts";
import { settings } from "./stage.ts";
import { table, tableAccess } from "./storage.ts";

/** The files of the built console. Vite builds them unless they are built already. */
const [consoleFolder, ...consoleFiles] = execFileSync(
  process.execPath,
  [`${$cli.paths.root}/packages/console/build/print.ts`],
  { encoding: "utf8" },
).split("\n");

/** How long an event stream may last. `undefined` where answers are sent as a whole. */
const streamSecondsMax = $dev ? undefined : settings.streamSecondsMax; // SST's live stub cannot

/** An HTTP API gives up after 30 seconds. An event stream ends in time for a last page. */
const ANSWER_SECONDS = 29;

/** The function that answers every HTTP request. */
export const router = new sst.aws.Function("Router", {
  handler: "packages/functions/src/api.handler",
  memory: "1024 MB",
  timeout: `${ANSWER_SECONDS + (streamSecondsMax ?? 0)} seconds`,
  environment: {
    TABLE_NAME: table.name,
    EVENTLEDGER_WAIT_SECONDS_MAX: settings.waitSecondsMax,
    EVENTLEDGER_CORS_ORIGINS: settings.corsOrigins,
    ...(settings.portalAncestors === ""
      ? {}
      : { EVENTLEDGER_PORTAL_ANCESTORS: settings.portalAncestors }),
    ...(settings.auditArchiveDays === ""
      ? {}
      : { EVENTLEDGER_AUDIT_ARCHIVE_DAYS: settings.auditArchiveDays }),
    ...(streamSecondsMax && { EVENTLEDGER_STREAM_SECONDS_MAX: `${streamSecondsMax}` }),
    ...archived.environment,
  },
  link: [adminKey, cursorKey, ...(pushKey ? [pushKey] : [])],
  copyFiles: $util.output(archived.copyFiles).apply((files) => [
    ...files,
    ...consoleFiles.map((name) => ({ from: `${consoleFolder}/${name}`, to: `console/${name}` })),
    { from: "packages/functions/openapi.json", to: "docs/openapi.json" },
    { from: "docs/problems.md", to: "docs/problems.md" },
    { from: "node_modules/swagger-ui-dist/swagger-ui.css", to: "docs/swagger-ui.css" },
    {
      from: "node_modules/swagger-ui-dist/swagger-ui-bundle.js",
      to: "docs/swagger-ui-bundle.js",
    },
  ]),
  permissions: [tableAccess(OPERATIONS.router), ...archiveAccess(OBJECT_OPERATIONS.router)],
  transform: quiet,
  // The application itself handles authentication and CORS, at either entry point.
  url: settings.ingress === "function-url" && { authorization: "none", cors: false },
  streaming: streamSecondsMax !== undefined,
});

/** The HTTP API in front of the router. It is `undefined` when the stage uses a Function URL. */
export const httpApi = settings.ingress === "http-api" ? frontDoor() : undefined;

/** The address at which clients reach this stage. */
export const url = httpApi ? httpApi.url : router.url;

function frontDoor() {
  const api = new sst.aws.ApiGatewayV2("Api", {
    cors: false,
    accessLog: { retention: "1 month" },
    ...(settings.apiDomain ? { domain: settings.apiDomain } : {}),
    transform: {
      stage: {
        // A single runaway client could overload the table and raise the bill. Raise both limits as
        // the traffic grows.
        defaultRouteSettings: { throttlingRateLimit: 300, throttlingBurstLimit: 600 },
      },
    },
  });
  api.route("$default", router.arn, { name: "Default" });
  return api;
}
