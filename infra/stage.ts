/**
 * Whether this is the stage whose data survives the removal of the program: it is retained and
 * protected from deletion.
 */
export const isProduction = $app.stage === "production";

const ingress = ingressFrom(process.env.INGRESS);

/** The settings of a deployment, from the environment or from `.env.<stage>` (docs/deploy.md). */
export const settings = {
  ingress,
  /** A host name in a Route 53 zone of this account, under which the HTTP API answers. */
  apiDomain: process.env.API_DOMAIN || undefined,
  /**
   * The address that receives mail when an alarm changes. Without it, alarms are visible only in
   * the console.
   */
  alarmEmail: process.env.ALARM_EMAIL || undefined,
  /**
   * The concurrency that is reserved for the compactor. 0 reserves none. Undefined lets the
   * account's limit decide.
   */
  reservedConcurrency: reservedFrom(process.env.RESERVED_CONCURRENCY),
  /** The web sites whose pages may call the API, separated by commas. The default is none. */
  corsOrigins: originsFrom(process.env.CORS_ORIGINS),
  /** The sites that may embed the portal, separated by commas. The default is none. */
  portalAncestors: ancestorsFrom(process.env.PORTAL_ANCESTORS),
  /** The longest wait of a poll, in seconds, or `off`. AWS bills a function while it waits. */
  waitSecondsMax: waitSecondsFrom(process.env.WAIT_SECONDS_MAX),
  /**
   * How long an event stream may last, in seconds. Undefined where answers are sent as a whole. AWS
   * bills a function while it streams.
   */
  streamSecondsMax: streamSecondsFrom(process.env.STREAM_SECONDS_MAX),
  /** How many days the audit streams are kept in the archive. The default is none. */
  auditArchiveDays: auditDaysFrom(process.env.AUDIT_ARCHIVE_DAYS),
  /** Whether the stage has a bucket for the archive, and whether with object lock. */
  archive: archiveFrom(process.env.ARCHIVE),
  /** The storage class of archived objects after 30 days. */
  archiveStorageClass: storageClassFrom(process.env.ARCHIVE_STORAGE_CLASS),
  /** Whether subscriptions can be pushed to endpoints (docs/push.md). */
  push: pushFrom(process.env.PUSH),
  /** The name of a restored table to use instead of the stage's own (docs/operations.md). */
  restoredTable: tableFrom(process.env.RESTORED_TABLE),
};

if (settings.apiDomain && settings.ingress === "function-url") {
  throw new Error("API_DOMAIN needs INGRESS=http-api: a Function URL has no domain of its own.");
}

if (settings.streamSecondsMax !== undefined && settings.ingress === "http-api") {
  throw new Error(
    "STREAM_SECONDS_MAX needs INGRESS=function-url: an HTTP API sends whole answers.",
  );
}

if (settings.auditArchiveDays !== "" && settings.archive === "off") {
  throw new Error("AUDIT_ARCHIVE_DAYS needs ARCHIVE=on or ARCHIVE=locked.");
}

/** Reads the days as the router does (packages/functions/src/audit-archive-days.ts). */
function auditDaysFrom(value = ""): string {
  if (value === "" || (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 36_500)) {
    return value;
  }
  throw new Error(`AUDIT_ARCHIVE_DAYS is "${value}"; it can be whole days from 1 to 36500.`);
}

function archiveFrom(value: string | undefined): "on" | "off" | "locked" {
  if (!value || value === "off") return "off";
  if (value === "on" || value === "locked") return value;
  throw new Error(`ARCHIVE is "${value}"; it can be "off" (the default), "on" or "locked".`);
}

function pushFrom(value: string | undefined): boolean {
  if (!value || value === "off") return false;
  if (value === "on") return true;
  throw new Error(`PUSH is "${value}"; it can be "off" (the default) or "on".`);
}

function storageClassFrom(value: string | undefined): "STANDARD" | "STANDARD_IA" | "GLACIER_IR" {
  if (!value || value === "STANDARD") return "STANDARD";
  if (value === "STANDARD_IA" || value === "GLACIER_IR") return value;
  throw new Error(
    `ARCHIVE_STORAGE_CLASS is "${value}"; it can be STANDARD, STANDARD_IA or GLACIER_IR.`,
  );
}

function tableFrom(value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (/^[A-Za-z0-9_.-]{3,255}$/.test(value)) return value;
  throw new Error(`RESTORED_TABLE is "${value}", which is not the name of a DynamoDB table.`);
}

function ingressFrom(value: string | undefined): "http-api" | "function-url" {
  if (!value || value === "http-api") return "http-api";
  if (value === "function-url") return value;
  throw new Error(`INGRESS is "${value}"; it can be "http-api" (the default) or "function-url".`);
}

/** Reads origins as browsers send them: scheme and host, and nothing after that. */
function originsFrom(value = ""): string {
  const origins = value.split(",").map((origin) => origin.trim());
  if (value.trim() === "") return "";
  for (const origin of origins) {
    if (/^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin)) continue;
    throw new Error(
      `CORS_ORIGINS has "${origin}"; it can be origins such as https://app.example.com, with commas between.`,
    );
  }
  return origins.join(",");
}

/** Reads the sites as the router does (packages/functions/src/portal-ancestors.ts). */
function ancestorsFrom(value = ""): string {
  const found = value.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
  for (const one of found) {
    if (/^(?:self|https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d+)?)$/.test(one)) continue;
    throw new Error(
      `PORTAL_ANCESTORS has "${one}"; it can be self and origins such as https://app.example.com, with commas between.`,
    );
  }
  return found.join(",");
}

/**
 * Reads the cap as the router does (packages/functions/src/wait-seconds.ts). A test compares them.
 */
function waitSecondsFrom(value: string | undefined): string {
  if (!value) return "off";
  if (value === "off" || (/^\d{1,2}$/.test(value) && Number(value) <= 20)) return value;
  throw new Error(
    `WAIT_SECONDS_MAX is "${value}"; it can be whole seconds from 0 to 20, or "off".`,
  );
}

/** Reads the time as the router does (packages/functions/src/stream-seconds.ts). */
function streamSecondsFrom(value: string | undefined): number | undefined {
  if (!value) return ingress === "function-url" ? 60 : undefined;
  if (value === "off") return undefined;
  if (/^\d{2,3}$/.test(value) && Number(value) >= 10 && Number(value) <= 600) return Number(value);
  throw new Error(
    `STREAM_SECONDS_MAX is "${value}"; it can be whole seconds from 10 to 600, or "off".`,
  );
}

function reservedFrom(value: string | undefined): number | undefined {
  if (!value) return undefined;
  if (value === "off") return 0;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new Error(
    `RESERVED_CONCURRENCY is "${value}"; it can be "off" or a number from 1 to 9999.`,
  );
}
