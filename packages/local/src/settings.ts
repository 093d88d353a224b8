import { readAuditArchiveDays } from "@eventledger/functions/audit-archive-days.ts";
import { isLoopback } from "@eventledger/functions/loopback.ts";
import { readOrigins } from "@eventledger/functions/open-ledger.ts";
import { readPortalAncestors } from "@eventledger/functions/portal-ancestors.ts";
import { assertCursorKeys, SECRET_PATTERN } from "@eventledger/functions/secrets.ts";
import { readWaitSecondsMax } from "@eventledger/functions/wait-seconds.ts";
import { LIMITS } from "@eventledger/protocol";
import { StackError } from "./stack-error.ts";
import { STORE_KINDS, type StoreKind } from "./store-program.ts";

/** The settings of `npm start`, read from the environment. An empty variable counts as absent. */
export type Settings = {
  readonly host: string;
  /** With 0, the system chooses a free port. */
  readonly port: number;
  readonly dataFolder: string;
  readonly tableName: string;
  /** The endpoint of a database that already runs. */
  readonly endpoint: string | undefined;
  /**
   * The store to start. If undefined, the data folder's store, or else the default of this
   * platform.
   */
  readonly storeKind: StoreKind | undefined;
  /** The bucket of an S3-compatible server that already runs. */
  readonly archive: ForeignBucket | undefined;
  readonly adminKey: string | undefined;
  readonly cursorKey: string | undefined;
  /** True: the server asks for no key. */
  readonly authOff: boolean;
  /** The web sites whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  /** The sites that may embed the portal. */
  readonly portalAncestors: readonly string[];
  /** The longest wait of a poll. With 0, no poll waits. */
  readonly waitSecondsMax: number;
  /** How many days the audit streams are archived. */
  readonly auditArchiveDays: number | undefined;
};

/** Reads the settings. Throws a `StackError` that names the variable with an invalid value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const host = env.HOST || "127.0.0.1";
  return {
    host,
    port: readPort(env.PORT || "4000"),
    dataFolder: env.EVENTLEDGER_DATA || DEFAULT_DATA_FOLDER,
    tableName: readTableName(env.TABLE_NAME || "eventledger"),
    endpoint: readEndpoint("DYNAMODB_ENDPOINT", env.DYNAMODB_ENDPOINT || undefined),
    storeKind: readStoreKind(env.EVENTLEDGER_STORE || undefined),
    archive: readBucket(env),
    adminKey: readAdminKey(env.EVENTLEDGER_ADMIN_KEY || undefined),
    cursorKey: readCursorKey(env.EVENTLEDGER_CURSOR_KEYS || undefined),
    authOff: readAuth(env.EVENTLEDGER_AUTH || "on", host),
    corsOrigins: readOrigins(env.EVENTLEDGER_CORS_ORIGINS),
    portalAncestors: readAncestors(env.EVENTLEDGER_PORTAL_ANCESTORS),
    waitSecondsMax: readWaits(env.EVENTLEDGER_WAIT_SECONDS_MAX),
    auditArchiveDays: readAuditDays(env.EVENTLEDGER_AUDIT_ARCHIVE_DAYS),
  };
}

/** A bucket that the stack does not serve itself. Its credentials come from the environment. */
export type ForeignBucket = {
  readonly endpoint: string;
  readonly bucket: string;
  readonly locks: boolean;
};

export const DEFAULT_DATA_FOLDER = ".eventledger";

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new StackError(`PORT must be a number up to 65535, such as 4000, not "${text}".`);
}

function readTableName(text: string): string {
  if (/^[A-Za-z0-9_.-]{3,255}$/.test(text)) return text;
  throw new StackError(`TABLE_NAME must be 3 to 255 of A-Z a-z 0-9 _ . -, not "${text}".`);
}

function readEndpoint(name: string, text: string | undefined): string | undefined {
  const url = text === undefined ? undefined : URL.parse(text);
  if (url === undefined) return undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw new StackError(`${name} must be a URL such as http://127.0.0.1:8000, not "${text}".`);
}

function readBucket(env: NodeJS.ProcessEnv): ForeignBucket | undefined {
  const endpoint = readEndpoint("S3_ENDPOINT", env.S3_ENDPOINT || undefined);
  if (endpoint === undefined) return undefined;
  const bucket = env.ARCHIVE_BUCKET || "eventledger";
  const lock = env.ARCHIVE_OBJECT_LOCK || "off";
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new StackError(`ARCHIVE_BUCKET must be the name of an S3 bucket, not "${bucket}".`);
  }
  if (lock !== "on" && lock !== "off") {
    throw new StackError(`ARCHIVE_OBJECT_LOCK must be on or off, not "${lock}".`);
  }
  return { endpoint, bucket, locks: lock === "on" };
}

/** This is exported because the tests' set-up also starts a store. */
export function readStoreKind(text: string | undefined): StoreKind | undefined {
  const kind = STORE_KINDS.find((each) => each === text);
  if (kind !== undefined || text === undefined) return kind;
  throw new StackError(`EVENTLEDGER_STORE must be ${STORE_KINDS.join(" or ")}, not "${text}".`);
}

function readAuth(text: string, host: string): boolean {
  if (text === "on") return false;
  if (text !== "off") throw new StackError(`EVENTLEDGER_AUTH must be on or off, not "${text}".`);
  if (isLoopback(host)) return true;
  throw new StackError(
    `EVENTLEDGER_AUTH=off lets every client in, and HOST=${host} lets other machines in. Unset one of them.`,
  );
}

function readAdminKey(text: string | undefined): string | undefined {
  if (text === undefined || SECRET_PATTERN.test(text)) return text;
  throw new StackError(
    "EVENTLEDGER_ADMIN_KEY must be 16 to 255 visible ASCII characters without spaces. " +
      "Unset it so that a key is created.",
  );
}

function readCursorKey(text: string | undefined): string | undefined {
  try {
    if (text !== undefined) assertCursorKeys(text);
    return text;
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}

function readAuditDays(text: string | undefined): number | undefined {
  try {
    return readAuditArchiveDays(text);
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}

function readAncestors(text: string | undefined): string[] {
  try {
    return readPortalAncestors(text);
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}

/** Waiting costs nothing on this machine. */
function readWaits(text: string | undefined): number {
  try {
    return readWaitSecondsMax(text, LIMITS.waitSecondsMax);
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}
